"""Seccomp: system calls that a process which parses files never needs are refused, by libseccomp."""

from __future__ import annotations

import errno
import os

_NETWORK = "socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg recvmsg recvmmsg"
_PROCESSES = (
    "execve execveat fork vfork ptrace process_vm_readv process_vm_writev kcmp kill tkill"
    " rt_sigqueueinfo rt_tgsigqueueinfo setpgid setsid setpriority"
    " shmget shmat shmctl semget semop msgget msgsnd msgrcv mq_open"
)
_CHANGES = (
    "creat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat symlink symlinkat mknod mknodat"
    " truncate chmod fchmod fchmodat chown fchown lchown fchownat utime utimes futimesat utimensat"
    " setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
    " memfd_create"
)
_KERNEL = (
    "mount umount2 pivot_root chroot unshare setns"
    " open_by_handle_at name_to_handle_at fanotify_init fanotify_mark quotactl acct swapon swapoff"
    " bpf perf_event_open userfaultfd keyctl add_key request_key seccomp personality modify_ldt iopl ioperm"
    " init_module finit_module delete_module kexec_load kexec_file_load reboot syslog vhangup"
    " sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex"
)
_NEWER = range(424, 600)
"""Calls since Linux 5.1, with these numbers on all architectures, unknown to old releases of libseccomp: they get the
answer of an older kernel, so that callers use older calls. Some hide in memory what a filter would look at."""
_HARMLESS = frozenset({436, 439, 441, 449})
"""Of these: close_range, faccessat2, epoll_pwait2, futex_waitv."""
_CLONE_THREAD = 0x00010000
_WRITING = (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC)
"""Flags of which each alone changes files, or could: a file opened for reading may be cut off or created as well."""
_OWNERS = (8, 10, 15)
"""Of `asm-generic/fcntl.h`: F_SETOWN, F_SETSIG, F_SETOWN_EX, by which a pipe sends signals to other processes."""
_INT = 0xFFFFFFFF
"""What the kernel looks at of an `int`: the rest of the register is the caller's choice."""


class Filter:
    """The rules, prepared: libseccomp is looked for by other programs, so before those are refused."""

    def __init__(self) -> None:
        """Raises `OSError` where there are no filters: libseccomp.so.2 is missing."""
        try:
            import pyseccomp as seccomp
        except (ImportError, RuntimeError, AttributeError) as error:
            raise OSError(errno.ENOSYS, f"libseccomp: {error}") from error
        refused, absent = seccomp.ERRNO(errno.EPERM), seccomp.ERRNO(errno.ENOSYS)
        rules = self._rules = seccomp.SyscallFilter(seccomp.ALLOW)
        for name in f"{_NETWORK} {_PROCESSES} {_CHANGES} {_KERNEL}".split():
            rules.add_rule(refused, name)
        for number in _NEWER:
            if number not in _HARMLESS:
                rules.add_rule(absent, number)
        rules.add_rule(refused, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, _CLONE_THREAD, 0))
        rules.add_rule(refused, "tgkill", seccomp.Arg(0, seccomp.NE, os.getpid()))
        rules.add_rule(refused, "prlimit64", seccomp.Arg(0, seccomp.NE, 0))
        for flag in _WRITING:
            rules.add_rule(refused, "open", seccomp.Arg(1, seccomp.MASKED_EQ, flag, flag))
            rules.add_rule(refused, "openat", seccomp.Arg(2, seccomp.MASKED_EQ, flag, flag))
        for command in _OWNERS:
            rules.add_rule(refused, "fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, _INT, command))

    def load(self) -> None:
        """Refuse the calls, with EPERM, to this thread and those it starts; raises `OSError` where the kernel can't."""
        self._rules.load()
