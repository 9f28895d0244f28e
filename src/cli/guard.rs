//! Keeps other eyes off the memory of this process.

/// Leaves no core dump behind, and on Linux keeps other processes of the same user from reading this one's memory.
///
/// A process that cannot be dumped cannot be traced either: `strace`, `gdb` and `/proc/PID/mem` are then root's alone.
/// Nothing else changes, least of all `/dev/stdin`, `/dev/fd/N` and `<(…)`. Where the system refuses, the program goes on.
pub fn guard_memory() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
