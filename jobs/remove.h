#ifndef XOS_JOBS_REMOVE_H
#define XOS_JOBS_REMOVE_H

/* Removes everything below a folder, never following a symbolic link nor leaving the file system; what
 * cannot be removed stays. */
void xos_remove_below(const char *path);

#endif
