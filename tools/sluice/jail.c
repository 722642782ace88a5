#include "tools/sluice/jail.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCH      AUDIT_ARCH_X86_64
#define FOREIGN_CALLS 0x40000000u /* x32's: other numbers for the same calls */
#elif defined(__aarch64__)
#define OWN_ARCH      AUDIT_ARCH_AARCH64
#define FOREIGN_CALLS UINT32_MAX
#endif

/* Newer than some C library's headers; the same on both machines. */
#define NR_PIDFD_SEND_SIGNAL      424
#define NR_IO_URING_SETUP         425
#define NR_PIDFD_OPEN             434
#define NR_CLONE3                 435
#define NR_PIDFD_GETFD            438
#define NR_PROCESS_MADVISE        440
#define NR_LANDLOCK_CREATE        444
#define NR_LANDLOCK_RESTRICT_SELF 446
#define NR_PROCESS_MRELEASE       448

#ifdef OWN_ARCH

/* Never, whatever the arguments. */
static const uint32_t refused[] = {
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    NR_PIDFD_SEND_SIGNAL,
    NR_PIDFD_OPEN,
    NR_PIDFD_GETFD,
    NR_PROCESS_MADVISE,
    NR_PROCESS_MRELEASE,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    NR_IO_URING_SETUP, /* would do the same by another way */
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_kexec_load,
    SYS_reboot,
};
/* Of its own process alone: the first argument is a process number, or 0. */
static const uint32_t own_alone[] = {SYS_kill, SYS_tgkill, SYS_rt_tgsigqueueinfo, SYS_prlimit64};

#define REFUSED   (sizeof refused / sizeof refused[0])
#define OWN_ALONE (sizeof own_alone / sizeof own_alone[0])
#define ARGUMENT0 (offsetof(struct seccomp_data, args)) /* its low half: both machines' order */

struct program {
    struct sock_filter steps[2 * REFUSED + 6 * OWN_ALONE + 24];
    uint16_t count;
};

static void step(struct program *p, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
    p->steps[p->count++] =
        (struct sock_filter){.code = code, .jt = if_true, .jf = if_false, .k = k};
}

static void load(struct program *p, uint32_t offset)
{
    step(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void answer(struct program *p, uint32_t what)
{
    step(p, BPF_RET | BPF_K, what, 0, 0);
}

/* The next `count` steps are for this value alone. */
static void only_for(struct program *p, uint32_t value, uint8_t count)
{
    step(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, count);
}

static void write_program(struct program *p, uint32_t own_pid)
{
    load(p, offsetof(struct seccomp_data, arch));
    step(p, BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0);
    answer(p, SECCOMP_RET_KILL_PROCESS);
    load(p, offsetof(struct seccomp_data, nr));
    step(p, BPF_JMP | BPF_JGE | BPF_K, FOREIGN_CALLS, 0, 1);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
    for (size_t i = 0; i < REFUSED; i++) {
        only_for(p, refused[i], 1);
        answer(p, SECCOMP_RET_ERRNO | EPERM);
    }
    only_for(p, NR_CLONE3, 1); /* its arguments cannot be seen; C libraries take clone then */
    answer(p, SECCOMP_RET_ERRNO | ENOSYS);
    only_for(p, SYS_clone, 4);
    load(p, ARGUMENT0);
    step(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
    answer(p, SECCOMP_RET_ALLOW);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
    for (size_t i = 0; i < OWN_ALONE; i++) {
        only_for(p, own_alone[i], 5);
        load(p, ARGUMENT0);
        step(p, BPF_JMP | BPF_JEQ | BPF_K, own_pid, 1, 0);
        step(p, BPF_JMP | BPF_JEQ | BPF_K, own_alone[i] == SYS_prlimit64 ? 0 : own_pid, 0, 1);
        answer(p, SECCOMP_RET_ALLOW);
        answer(p, SECCOMP_RET_ERRNO | EPERM);
    }
    answer(p, SECCOMP_RET_ALLOW);
}

/* A domain of its own, where the kernel has Landlock: nobody outside it can be looked into, by
 * /proc either. */
static void enter_domain(void)
{
    const uint64_t handled = (uint64_t)1 << 9; /* making sockets in the file system: for nobody */
    int rules = (int)syscall(NR_LANDLOCK_CREATE, &handled, sizeof handled, 0);
    if (rules >= 0) {
        (void)syscall(NR_LANDLOCK_RESTRICT_SELF, rules, 0);
        close(rules);
    }
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}};
    (void)syscall(SYS_capset, &header, none);
}

enum sl_result jail_enter(void)
{
    struct program p = {.count = 0};
    write_program(&p, (uint32_t)getpid());
    struct sock_fprog filter = {.len = p.count, .filter = p.steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return SL_ERR_UNSUPPORTED;
    }
    enter_domain();
    drop_capabilities();
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* its fellows cannot look into it */
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0 ? SL_OK
                                                                          : SL_ERR_UNSUPPORTED;
}

#else

enum sl_result jail_enter(void)
{
    errno = ENOSYS;
    return SL_ERR_UNSUPPORTED;
}

#endif
