/* Rules for networks as programs for the kernel (bpf(2)), put together by hand: they are a few loads and comparisons, for which
 * a compiler at run time would be a large thing to bring along. */
#include <linux/bpf.h>
#include <stdlib.h>

#include "proc/network_internal.h"

/* The registers: an address is in HIGH and LOW, of IPv4 in the low half of HIGH. */
enum { R0, R1, R2, R3, R4, CTX = 6, HIGH, LOW, FP = 10 };
enum { REFUSE = 1, ALLOW = 3 }; /* where the two ends stand */
#define SCRATCH (-16)
#define PENDING INT16_MIN /* a jump to what is not written yet */
#define CODE_MAX 16384u

static void put(struct xos_net_code *c, struct bpf_insn in)
{
	if (c->n == c->cap && !c->failed) {
		size_t cap = c->cap ? 2 * c->cap : 256;
		struct bpf_insn *v = cap > CODE_MAX ? NULL : realloc(c->v, cap * sizeof(*v));

		c->failed = !v;
		c->v = v ? v : c->v;
		c->cap = v ? cap : c->cap;
	}
	if (!c->failed)
		c->v[c->n++] = in;
}

static void op(
    struct xos_net_code *c, unsigned code, unsigned dst, unsigned src, int off, int32_t imm)
{
	put(c, (struct bpf_insn){.code = (uint8_t)code,
	           .dst_reg = (uint8_t)(dst & 15),
	           .src_reg = (uint8_t)(src & 15),
	           .off = (int16_t)off,
	           .imm = imm});
}

static void set(struct xos_net_code *c, unsigned dst, int32_t imm)
{
	op(c, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static void copy(struct xos_net_code *c, unsigned dst, unsigned src)
{
	op(c, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void set_wide(struct xos_net_code *c, unsigned dst, uint64_t v)
{
	/* NOLINTNEXTLINE(misc-redundant-expression): LD and IMM are 0, and are said all the same */
	op(c, BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, (int32_t)(uint32_t)v);
	op(c, 0, 0, 0, 0, (int32_t)(uint32_t)(v >> 32));
}

static void from_network(struct xos_net_code *c, unsigned reg, int bits)
{
	op(c, BPF_ALU | BPF_END | BPF_TO_BE, reg, 0, 0, bits);
}

/* To a place that is known: the ends stand first. */
static void jump(
    struct xos_net_code *c, unsigned code, unsigned dst, unsigned src, int32_t imm, int to)
{
	int off = to == PENDING ? PENDING : to - (int)c->n - 1;

	op(c, BPF_JMP | code, dst, src, off, imm);
}

/* All jumps from `from` on that wait for it lead here. */
static void here(struct xos_net_code *c, size_t from)
{
	for (size_t i = from; !c->failed && i < c->n; i++)
		if (BPF_CLASS(c->v[i].code) <= BPF_JMP32 && BPF_CLASS(c->v[i].code) >= BPF_JMP &&
		    c->v[i].off == PENDING)
			c->v[i].off = (int16_t)(c->n - i - 1);
}

/* The kernel refuses instructions that no way leads to, but does not ask whether anybody goes there: so each way there is, is
 * an open question to it, and the last jump alone is certain. */
static void jump_always(struct xos_net_code *c, int to)
{
	jump(c, BPF_JGE | BPF_K, HIGH, 0, 0, to);
}

static void ends(struct xos_net_code *c)
{
	op(c, BPF_JMP | BPF_JA, 0, 0, 4, 0);
	set(c, R0, 0);
	op(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	set(c, R0, 1);
	op(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	copy(c, CTX, R1);
	set(c, R0, 0);
	jump(c, BPF_JNE | BPF_K, R0, 0, 0, REFUSE);
}

static uint64_t number(const uint8_t *p, size_t bytes)
{
	uint64_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static void compare_v4(struct xos_net_code *c, const struct xos_net_prefix *p, int to)
{
	int shift = 32 - p->length;

	if (p->length == 0) {
		jump_always(c, to);
		return;
	}
	op(c, BPF_ALU | BPF_MOV | BPF_X, R1, HIGH, 0, 0);
	if (shift)
		op(c, BPF_ALU | BPF_RSH | BPF_K, R1, 0, 0, shift);
	set_wide(c, R2, number(p->addr, 4) >> shift);
	jump(c, BPF_JEQ | BPF_X, R1, R2, 0, to);
}

static void compare_v6(struct xos_net_code *c, const struct xos_net_prefix *p, int to)
{
	int bits = p->length > 64 ? p->length - 64 : p->length;

	if (p->length == 0) {
		jump_always(c, to);
		return;
	}
	if (p->length > 64) {
		set_wide(c, R2, number(p->addr, 8));
		/* Over the rest of this one, which is as long as what follows. */
		op(c, BPF_JMP | BPF_JNE | BPF_X, HIGH, R2, bits < 64 ? 5 : 4, 0);
	}
	copy(c, R1, p->length > 64 ? LOW : HIGH);
	if (bits < 64)
		op(c, BPF_ALU64 | BPF_RSH | BPF_K, R1, 0, 0, 64 - bits);
	set_wide(c, R2, number(p->addr + (p->length > 64 ? 8 : 0), 8) >> (64 - bits));
	jump(c, BPF_JEQ | BPF_X, R1, R2, 0, to);
}

static void judge(struct xos_net_code *c, const struct xos_net_rules *rules, uint8_t family)
{
	size_t from = c->n;

	for (size_t i = 0; rules->limited && i < rules->nopen; i++)
		if (rules->open[i].family == family)
			(family == 4 ? compare_v4 : compare_v6)(c, &rules->open[i], PENDING);
	if (rules->limited)
		jump_always(c, REFUSE);
	here(c, from);
	for (size_t i = 0; i < rules->nclosed; i++)
		if (rules->closed[i].family == family)
			(family == 4 ? compare_v4 : compare_v6)(c, &rules->closed[i], REFUSE);
	jump(c, BPF_JA, 0, 0, 0, ALLOW);
}

/* Bytes of the packet to the scratch place, or refuse: what cannot be read is not let through. */
static void fetch(struct xos_net_code *c, int at, int bytes)
{
	copy(c, R1, CTX);
	set(c, R2, at);
	copy(c, R3, FP);
	/* NOLINTNEXTLINE(misc-redundant-expression): as are ADD and K */
	op(c, BPF_ALU64 | BPF_ADD | BPF_K, R3, 0, 0, SCRATCH);
	set(c, R4, bytes);
	op(c, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes);
	jump(c, BPF_JNE | BPF_K, R0, 0, 0, REFUSE);
}

/* v4, v6: where the address stands in the header. */
static void packet(struct xos_net_code *c, const struct xos_net_rules *rules, int v4, int v6)
{
	ends(c);
	fetch(c, 0, 1);
	op(c, BPF_LDX | BPF_MEM | BPF_B, R1, FP, SCRATCH, 0);
	op(c, BPF_ALU64 | BPF_RSH | BPF_K, R1, 0, 0, 4);
	size_t from = c->n;
	jump(c, BPF_JEQ | BPF_K, R1, 0, 6, PENDING);
	jump(c, BPF_JNE | BPF_K, R1, 0, 4, REFUSE);
	fetch(c, v4, 4);
	op(c, BPF_LDX | BPF_MEM | BPF_W, HIGH, FP, SCRATCH, 0);
	from_network(c, HIGH, 32);
	judge(c, rules, 4);
	here(c, from);
	fetch(c, v6, 16);
	op(c, BPF_LDX | BPF_MEM | BPF_DW, HIGH, FP, SCRATCH, 0);
	op(c, BPF_LDX | BPF_MEM | BPF_DW, LOW, FP, SCRATCH + 8, 0);
	from_network(c, HIGH, 64);
	from_network(c, LOW, 64);
	judge(c, rules, 6);
}

static void load_word(struct xos_net_code *c, unsigned reg, size_t at)
{
	op(c, BPF_LDX | BPF_MEM | BPF_W, reg, CTX, (int)at, 0);
	from_network(c, reg, 32);
}

static void load_pair(struct xos_net_code *c, unsigned reg, size_t at)
{
	load_word(c, reg, at);
	op(c, BPF_ALU64 | BPF_LSH | BPF_K, reg, 0, 0, 32);
	load_word(c, R1, at + 4);
	op(c, BPF_ALU64 | BPF_OR | BPF_X, reg, R1, 0, 0);
}

static void connect_v4(struct xos_net_code *c, const struct xos_net_rules *rules)
{
	ends(c);
	load_word(c, HIGH, offsetof(struct bpf_sock_addr, user_ip4));
	judge(c, rules, 4);
}

/* An IPv4 address may come in the dress of an IPv6 one (::ffff:10.0.0.1). */
static void connect_v6(struct xos_net_code *c, const struct xos_net_rules *rules)
{
	ends(c);
	load_pair(c, HIGH, offsetof(struct bpf_sock_addr, user_ip6[0]));
	load_pair(c, LOW, offsetof(struct bpf_sock_addr, user_ip6[2]));
	size_t from = c->n;
	jump(c, BPF_JNE | BPF_K, HIGH, 0, 0, PENDING);
	copy(c, R1, LOW);
	op(c, BPF_ALU64 | BPF_RSH | BPF_K, R1, 0, 0, 32);
	jump(c, BPF_JNE | BPF_K, R1, 0, 0xffff, PENDING);
	copy(c, HIGH, LOW);
	judge(c, rules, 4);
	here(c, from);
	judge(c, rules, 6);
}

bool xos_net_code_make(
    struct xos_net_code *c, enum xos_net_hook hook, const struct xos_net_rules *rules)
{
	*c = (struct xos_net_code){.v = NULL};
	switch (hook) {
	case XOS_NET_OUT:
		packet(c, rules, 16, 24);
		break;
	case XOS_NET_IN:
		packet(c, rules, 12, 8);
		break;
	case XOS_NET_CONNECT4:
		connect_v4(c, rules);
		break;
	case XOS_NET_CONNECT6:
		connect_v6(c, rules);
		break;
	}
	return !c->failed;
}
