/* Seeing one's own writes: only where nobody forbids the calls for it. cap_memory_test.c sees some.
 */
#include "transport/base/writes.h"
#include "tests/support/slt.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IS_RIGHT = 0, IS_OTHER = 1, IS_UNFILTERED = 2 };

/* A process that dies of the call. */
static int filtered(void)
{
    const struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {sizeof rules / sizeof rules[0],
                                       (struct sock_filter *)(uintptr_t)rules};
    int fds[2];
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        return IS_UNFILTERED;
    }
    return sl_writes_open(fds) == SL_ERR_UNSUPPORTED ? IS_RIGHT : IS_OTHER;
}

SLT_TEST(writes, a_filtered_process_does_not_try)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        _exit(filtered());
    }
    SLT_ASSERT_EQ(child, waitpid(child, &status, 0));
    if (WIFEXITED(status) && WEXITSTATUS(status) == IS_UNFILTERED) {
        SLT_SKIP("this kernel filters no calls");
    }
    SLT_EXPECT_TRUE(WIFEXITED(status)); /* else the call ended it */
    SLT_EXPECT_EQ(IS_RIGHT, WEXITSTATUS(status));
}
