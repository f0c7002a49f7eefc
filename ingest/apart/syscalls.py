"""What may a confined process not ask of the kernel? A seccomp filter, written for x86_64 and aarch64, that no library can get round.

It is a list of what is forbidden, not of what is allowed: the libraries that read files, and those that recognise characters, differ in
what harmless calls they need from one machine to the next. Forbidden are connections, programs and new processes (threads are not), signals
to others, changes of files (opening one for writing among them), and the doors past all of these (io_uring, ptrace, namespaces). A
forbidden call fails with an error; a call in the processor's other dialect, whose numbers mean something else, ends the process.

Source: Linux, include/uapi/linux/{filter,seccomp,audit}.h and the tables of system calls; Documentation/userspace-api/seccomp_filter.rst.
"""

import ctypes
import errno
import os
import platform
import socket
import struct
import sys

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _DIALECT, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_CLONE_THREAD = 0x10000
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_X32 = 0x40000000  # x86_64's third dialect

# name: (x86_64, aarch64); -1 where the machine has no such call
_FORBIDDEN = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, -1), "vfork": (58, -1),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "creat": (85, -1), "unlink": (87, -1), "unlinkat": (263, 35), "rename": (82, -1), "renameat": (264, 38), "renameat2": (316, 276),
    "link": (86, -1), "linkat": (265, 37), "symlink": (88, -1), "symlinkat": (266, 36), "mkdir": (83, -1), "mkdirat": (258, 34), "rmdir": (84, -1),
    "mknod": (133, -1), "mknodat": (259, 33), "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, -1), "fchown": (93, 55), "fchownat": (260, 54), "lchown": (94, -1), "truncate": (76, 45), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "utime": (132, -1), "utimes": (235, -1), "futimesat": (261, -1), "utimensat": (280, 88),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "setrlimit": (160, 164),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "open_by_handle_at": (304, 265),
}  # fmt: skip
# A library that is told "no such call" takes the older one, whose arguments a filter can see.
_UNKNOWN = {"clone3": (435, 435), "openat2": (437, 437)}
# What no other program that we start has any business with.
_HANDS = ("ptrace", "process_vm_readv", "process_vm_writev", "io_uring_setup", "io_uring_enter", "io_uring_register", "mount", "umount2",
          "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key")  # fmt: skip
_DIALECTS = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

Instruction = tuple[int, int, int, int]


def forbid() -> bool:
    """Put this process, and all of its threads to come, under the filter for good. False where this system has no such filter.

    Takes no right: it works for any user, since the process gives up gaining rights first.
    """
    return _install(program(platform.machine(), os.getpid())) if _is_known() else False


def forbid_network() -> bool:
    """Put this process and what it becomes under a filter that leaves it sockets within this machine's file system only. False as `forbid`."""
    return _install(_without_network(platform.machine())) if _is_known() else False


def _is_known() -> bool:
    return sys.platform == "linux" and platform.machine() in _DIALECTS


def _install(instructions: list[Instruction]) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    held = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: unsigned short, padding, pointer
    head = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(held)))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, head, 0, 0) == 0)


def program(machine: str, process: int) -> list[Instruction]:
    """The filter for a machine ("x86_64" or "aarch64") and the process that will be under it, as (code, jump if true, jump if false, constant)."""
    column, dialect = _DIALECTS[machine]
    refuse = [(_RETURN, 0, 0, _ERRNO | errno.EACCES)]
    rules: list[tuple[int, list[Instruction]]] = [(pair[column], refuse) for pair in _FORBIDDEN.values()]
    rules += [(pair[column], [(_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]) for pair in _UNKNOWN.values()]
    rules += [
        ((56, 220)[column], _only_if(0, _ANY_BIT, _CLONE_THREAD)),
        ((257, 56)[column], _unless(2, _ANY_BIT, _WRITES)),
        ((2, -1)[column], _unless(1, _ANY_BIT, _WRITES)),
        ((62, 129)[column], _only_if(0, _EQUAL, process)),
        ((234, 131)[column], _only_if(0, _EQUAL, process)),
        # prlimit64 may ask for limits; with a new limit (a pointer, so its halves) it is refused
        ((302, 261)[column], _unless_pointer(2)),
    ]  # fmt: skip
    return _joined(rules, machine, dialect)


def _without_network(machine: str) -> list[Instruction]:
    """For another program: of sockets only those of AF_UNIX, no io_uring (which opens sockets its own way), and no hand on other processes."""
    column, dialect = _DIALECTS[machine]
    refuse = [(_RETURN, 0, 0, _ERRNO | errno.EACCES)]
    rules = [(_FORBIDDEN[name][column], refuse) for name in _HANDS]
    rules.append((_FORBIDDEN["socket"][column], _only_if(0, _EQUAL, socket.AF_UNIX)))
    return _joined(rules, machine, dialect)


def _joined(rules: list[tuple[int, list[Instruction]]], machine: str, dialect: int) -> list[Instruction]:
    """The rules by number of the call, behind a look at the dialect; what no rule names is allowed."""
    made: list[Instruction] = [
        (_LOAD, 0, 0, _DIALECT),
        (_EQUAL, 1, 0, dialect),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        made += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for number, rule in rules:
        if number >= 0:
            made += [(_EQUAL, 0, len(rule), number), *rule]
    return [*made, (_RETURN, 0, 0, _ALLOW)]


def _argument(index: int, *, high: bool = False) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index + 4 * high)


def _only_if(argument: int, test: int, constant: int) -> list[Instruction]:
    return [
        _argument(argument),
        (test, 1, 0, constant),
        (_RETURN, 0, 0, _ERRNO | errno.EACCES),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _unless(argument: int, test: int, constant: int) -> list[Instruction]:
    return [
        _argument(argument),
        (test, 0, 1, constant),
        (_RETURN, 0, 0, _ERRNO | errno.EACCES),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _unless_pointer(argument: int) -> list[Instruction]:
    return [
        _argument(argument), (_EQUAL, 0, 3, 0), _argument(argument, high=True), (_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EACCES),
    ]  # fmt: skip
