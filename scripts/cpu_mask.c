/* cpu_mask.c: let a program see a lesser processor than the machine's.
 *
 * ONNX Runtime, MKL, oneDNN, JUCE and compilers ask the CPUID instruction which instruction sets there
 * are; not all of them have a switch.  Linux lets a process have CPUID trapped (arch_prctl
 * ARCH_SET_CPUID; Intel since Ivy Bridge, few of AMD): this library, preloaded, answers in the
 * trap with the processor's own words less the bits of the level that CPU_MASK names:
 *
 *   avx2   no AVX-512, no AMX, no AVX-VNNI: Haswell to Alder Lake, Zen 1 to 3
 *   amd    the same and AMD's name: MKL and LLVM choose other code by it
 *   sse    no AVX, no FMA, no BMI either: x86-64-v2, processors before 2013
 *
 *   cc -shared -fPIC -O1 -o cpu_mask.so cpu_mask.c -ldl
 *   CPU_MASK=avx2 LD_PRELOAD=./cpu_mask.so python -m pytest
 *
 * Children inherit both variables and so the mask.  Other users of SIGSEGV (Python's faulthandler,
 * tests that crash a process) see what they would see without: their action is kept and called for
 * every fault that is no CPUID.  Exit code 3 where the machine cannot trap CPUID.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define BIT(n) (1u << (n))

enum level { NONE, AVX2, AMD, SSE };

static enum level level;
static struct sigaction theirs; /* what the program wants done at a real fault */
static int (*real_sigaction)(int, const struct sigaction *, struct sigaction *);
static int (*real_sigmask)(int, const sigset_t *, sigset_t *);

static void trap(int on) { syscall(SYS_arch_prctl, ARCH_SET_CPUID, !on); }

static void answer(uint32_t leaf, uint32_t sub, uint32_t r[4]) {
    /* AMD tells of its caches in a leaf of its own, by Intel's layout */
    uint32_t asked = level == AMD && leaf == 0x8000001D ? 4 : leaf;
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "0"(asked), "2"(sub));
    if (leaf == 7 && sub == 0) {
        /* AVX512 F, DQ, IFMA, PF, ER, CD, BW, VL */
        r[1] &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31));
        /* VBMI, VBMI2, GFNI, VAES, VPCLMULQDQ, VNNI, BITALG, VPOPCNTDQ */
        r[2] &= ~(BIT(1) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14));
        /* 4VNNIW, 4FMAPS, VP2INTERSECT, AMX-BF16, AVX512-FP16, AMX-TILE, AMX-INT8 */
        r[3] &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25));
        if (level == SSE) r[1] &= ~(BIT(3) | BIT(5) | BIT(8)); /* BMI1, AVX2, BMI2 */
    } else if (leaf == 7 && sub == 1) {
        r[0] = r[1] = r[2] = r[3] = 0; /* AVX-VNNI, AVX512-BF16, AMX-FP16, AVX-IFMA, AVX10 */
    } else if (leaf == 0x1D || leaf == 0x1E || leaf == 0x24) {
        r[0] = r[1] = r[2] = r[3] = 0; /* AMX tiles, AVX10 */
    } else if (leaf == 1 && level == SSE) {
        r[2] &= ~(BIT(12) | BIT(26) | BIT(27) | BIT(28) | BIT(29)); /* FMA, XSAVE, OSXSAVE, AVX, F16C */
    } else if (leaf == 0x80000001 && level == SSE) {
        r[2] &= ~(BIT(5) | BIT(11) | BIT(16)); /* LZCNT, XOP, FMA4 */
    }
    if (level == AMD && leaf == 0) {
        memcpy(&r[1], "Auth", 4);
        memcpy(&r[3], "enti", 4);
        memcpy(&r[2], "cAMD", 4);
    } else if (level == AMD && leaf == 1) {
        r[0] = 0x00A20F10; /* Zen 3 */
    } else if (level == AMD && (leaf == 2 || leaf == 4)) {
        r[0] = r[1] = r[2] = r[3] = 0; /* caches, as Intel tells of them */
    } else if (level == AMD && leaf == 0x80000000) {
        r[0] = 0x80000020;
    } else if (level == AMD && leaf == 0x80000001) {
        r[2] |= BIT(22); /* that leaf is there */
    } else if (level == AMD && leaf == 0x80000005) {
        r[2] = r[3] = 32u << 24 | 8u << 16 | 1u << 8 | 64; /* L1: KiB, ways, lines a tag, line */
    } else if (level == AMD && leaf == 0x80000006) {
        r[2] = 512u << 16 | 6u << 12 | 1u << 8 | 64; /* L2: KiB, 8 ways */
        r[3] = 64u << 18 | 9u << 12 | 1u << 8 | 64;  /* L3: 32 MiB in halves of one */
    } else if (level == AMD && leaf == 0x8000001E) {
        r[1] = r[2] = 0; /* one core, one node */
    } else if (level == SSE && leaf == 1) {
        r[0] = 0x000106A5; /* Nehalem */
    }
}

static void at_fault(int number, siginfo_t *info, void *context) {
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    /* a general-protection fault has no address; only then is the instruction surely readable */
    if (info->si_code == SI_KERNEL && memcmp((const void *)g[REG_RIP], "\x0f\xa2", 2) == 0) {
        uint32_t r[4];
        trap(0);
        answer((uint32_t)g[REG_RAX], (uint32_t)g[REG_RCX], r);
        trap(1);
        g[REG_RAX] = r[0], g[REG_RBX] = r[1], g[REG_RCX] = r[2], g[REG_RDX] = r[3];
        g[REG_RIP] += 2;
    } else if (theirs.sa_flags & SA_SIGINFO) {
        theirs.sa_sigaction(number, info, context);
    } else if (theirs.sa_handler != SIG_DFL && theirs.sa_handler != SIG_IGN) {
        theirs.sa_handler(number);
    } else {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        real_sigaction(SIGSEGV, &plain, NULL);
        if (info->si_code <= 0) raise(number); /* sent by a process: it does not come again by itself */
    }
}

int sigaction(int number, const struct sigaction *wanted, struct sigaction *before) {
    if (!real_sigaction) *(void **)&real_sigaction = dlsym(RTLD_NEXT, "sigaction");
    if (level == NONE || number != SIGSEGV) return real_sigaction(number, wanted, before);
    struct sigaction old = theirs;
    if (wanted) theirs = *wanted;
    if (before) *before = old;
    return 0;
}

sighandler_t signal(int number, sighandler_t handler) {
    struct sigaction wanted = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;
    return sigaction(number, &wanted, &before) ? SIG_ERR : before.sa_handler;
}

/* a fault while its signal is blocked ends the process */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
    if (!real_sigmask) *(void **)&real_sigmask = dlsym(RTLD_NEXT, "pthread_sigmask");
    if (level == NONE || !set || how == SIG_UNBLOCK) return real_sigmask(how, set, before);
    sigset_t open = *set;
    sigdelset(&open, SIGSEGV);
    return real_sigmask(how, &open, before);
}

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("CPU_MASK");
    if (!name || !*name) return;
    enum level found = !strcmp(name, "avx2") ? AVX2 : !strcmp(name, "amd") ? AMD : SSE;
    if (found == SSE && strcmp(name, "sse")) {
        fprintf(stderr, "CPU_MASK is avx2, amd or sse, got %s\n", name);
        _exit(2);
    }
    struct sigaction ours = {.sa_sigaction = at_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    sigaction(SIGSEGV, &ours, &theirs);
    level = found;
    if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0)) {
        fprintf(stderr, "cpu_mask: this machine cannot trap CPUID\n");
        _exit(3);
    }
}
