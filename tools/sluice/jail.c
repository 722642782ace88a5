#include "tools/sluice/jail.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Never, whatever the arguments. */
static const int refused[] = {
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(process_madvise),
    SCMP_SYS(process_mrelease),
    SCMP_SYS(tkill),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(io_uring_setup), /* would do the same by another way */
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(reboot),
};
/* Of its own process alone: the first argument is a process number. */
static const int own_alone[] = {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_tgsigqueueinfo)};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* Allows what is not named here. */
static bool add_rules(scmp_filter_ctx filter)
{
    const uint32_t no = SCMP_ACT_ERRNO(EPERM);
    bool ok = true;
    for (size_t i = 0; i < COUNT(refused); i++) {
        ok = ok && seccomp_rule_add(filter, no, refused[i], 0) == 0;
    }
    for (size_t i = 0; i < COUNT(own_alone); i++) {
        ok = ok && seccomp_rule_add(filter, no, own_alone[i], 1,
                                    SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid())) == 0;
    }
    /* 0 is itself. A new process is a clone that is no thread; clone3's arguments cannot be seen:
     * C libraries take clone where there is none. */
    return ok &&
           seccomp_rule_add(filter, no, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0)) == 0 &&
           seccomp_rule_add(filter, no, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;
}

/* A domain of its own, where the kernel has Landlock: nobody outside it can be looked into, by
 * /proc either. No C library has functions for it; what libseccomp does not know is call -1, which
 * no kernel has. */
static void enter_domain(void)
{
    const int create = seccomp_syscall_resolve_name("landlock_create_ruleset");
    const int restrict_self = seccomp_syscall_resolve_name("landlock_restrict_self");
    const struct landlock_ruleset_attr handled = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SOCK}; /* for nobody */
    int rules = (int)syscall(create, &handled, sizeof handled, 0);
    if (rules >= 0) {
        (void)syscall(restrict_self, rules, 0);
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
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return SL_ERR_UNSUPPORTED;
    }
    enter_domain();
    drop_capabilities();
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* its fellows cannot look into it */
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int failed = filter != NULL && add_rules(filter) ? -seccomp_load(filter) : ENOSYS;
    seccomp_release(filter);
    errno = failed;
    return failed == 0 ? SL_OK : SL_ERR_UNSUPPORTED;
}
