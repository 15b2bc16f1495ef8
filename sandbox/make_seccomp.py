"""Write sandbox/seccomp.json: what a sandbox's processes may ask of the kernel, everything else is EPERM.

The calls are those that Docker's default profile lets an unprivileged container make (its documentation lists them),
less io_uring, userfaultfd, the keyring, bpf, perf, kexec, the mount family, namespaces, ptrace and its kin, and sockets
of AF_ALG, AF_VSOCK and AF_PACKET. clone3 answers ENOSYS, so that C libraries fall back to clone, whose flags can be read.
"""

import json
from pathlib import Path

ALLOWED = """
accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_adjtime clock_getres
clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2
fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr
flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake
futimesat getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid
getppid getpriority getrandom getresgid getresuid getrlimit get_robust_list getrusage getsid getsockname getsockopt
get_thread_area gettid gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
io_cancel ioctl io_destroy io_getevents io_pgetevents ioprio_get ioprio_set io_setup io_submit kill
landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr
lremovexattr lseek lsetxattr lstat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat
mknod mknodat mlock mlock2 mlockall mmap mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink
mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat
openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv
preadv2 prlimit64 pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg
remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending
rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity
sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
semtimedop sendfile sendmmsg sendmsg sendto setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid
setresgid setresuid setreuid setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address setuid setxattr
shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat
sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime
utimensat utimes vfork vmsplice wait4 waitid waitpid write writev
_llseek _newselect fcntl64 fstat64 fstatat64 fstatfs64 ftruncate64 lstat64 mmap2 recv send sendfile64 stat64 statfs64
truncate64 sync_file_range2 arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls
""".split()

NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (clone(2))."""
FAMILIES = (17, 38, 40)
"""AF_PACKET, AF_ALG, AF_VSOCK (socket(2)): between and beyond them every family is allowed."""


def _compare(index: int, value: int, operation: str, two: int = 0) -> dict[str, object]:
    return {"index": index, "value": value, "valueTwo": two, "op": operation}


def _socket(test: dict[str, object]) -> dict[str, object]:
    return {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [test]}


def _other_families() -> list[dict[str, object]]:
    """Return tests that together match every family but FAMILIES.

    One test per rule: runc reads several tests of one argument in one rule as alternatives, not as a conjunction.
    """
    low, high = min(FAMILIES), max(FAMILIES)
    between = [family for family in range(low, high) if family not in FAMILIES]
    edges = [_compare(0, low, "SCMP_CMP_LT"), _compare(0, high, "SCMP_CMP_GT")]
    return edges + [_compare(0, family, "SCMP_CMP_EQ") for family in between]


def profile() -> dict[str, object]:
    """Return the profile in the form that the engine reads."""
    personalities = (0x0, 0x0008, 0x20000, 0x20008, 0xFFFFFFFF)
    rules: list[dict[str, object]] = [
        {"names": sorted(ALLOWED), "action": "SCMP_ACT_ALLOW", "args": []},
        {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [_compare(0, NAMESPACES, "SCMP_CMP_MASKED_EQ")]},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "args": []},
    ]
    rules += [_socket(test) for test in _other_families()]
    rules += [
        {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [_compare(0, value, "SCMP_CMP_EQ")]}
        for value in personalities
    ]
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
        "syscalls": rules,
    }


if __name__ == "__main__":
    Path(__file__).with_name("seccomp.json").write_text(json.dumps(profile(), indent=1) + "\n")
