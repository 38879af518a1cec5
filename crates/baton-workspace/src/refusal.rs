//! Why there is no sandbox on a machine, and what its owner can do about it.

use std::fs;
use std::path::Path;

/// Both in words for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub because: String,
    pub mend: String,
}

impl Refusal {
    pub(crate) fn new(because: String) -> Self {
        let facts = Facts::read(Path::new("/"));
        Self { because, mend: facts.mend() }
    }
}

/// What this machine's settings say of namespaces. A setting that cannot be read is one that does not refuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one setting of the kernel or one program, on or off")]
struct Facts {
    is_linux: bool,
    /// `user.max_user_namespaces` is 0.
    switched_off: bool,
    /// Older Debian: `kernel.unprivileged_userns_clone` is 0.
    for_root_only: bool,
    /// Ubuntu from 23.10: `kernel.apparmor_restrict_unprivileged_userns` is 1.
    by_app_armor: bool,
    in_container: bool,
    has_bwrap: bool,
}

impl Facts {
    fn read(root: &Path) -> Self {
        let is = |setting: &str, value: &str| {
            fs::read_to_string(root.join("proc/sys").join(setting)).is_ok_and(|text| text.trim() == value)
        };
        let has = |name: &str| root.join(name).exists();
        Self {
            is_linux: cfg!(target_os = "linux"),
            switched_off: is("user/max_user_namespaces", "0"),
            for_root_only: is("kernel/unprivileged_userns_clone", "0"),
            by_app_armor: is("kernel/apparmor_restrict_unprivileged_userns", "1"),
            in_container: has(".dockerenv") || has("run/.containerenv"),
            has_bwrap: has("usr/bin/bwrap"),
        }
    }

    /// The settings in the order in which the kernel asks them; then what cannot be told from settings.
    fn mend(self) -> String {
        let words = if !self.is_linux {
            "There is one on Linux only. Run the shown commands yourself, where you would run such code."
        } else if self.switched_off {
            "User namespaces are switched off: `sudo sysctl -w user.max_user_namespaces=15000`, and a line in \
             /etc/sysctl.d to keep it."
        } else if self.for_root_only {
            "User namespaces are for root alone: `sudo sysctl -w kernel.unprivileged_userns_clone=1`, and a line in \
             /etc/sysctl.d to keep it."
        } else if self.by_app_armor && self.has_bwrap {
            "AppArmor refuses user namespaces (kernel.apparmor_restrict_unprivileged_userns), and bubblewrap has no \
             profile: `sudo apt install apparmor-profiles`, copy /usr/share/apparmor/extra-profiles/bwrap-userns-restrict \
             to /etc/apparmor.d, `sudo systemctl reload apparmor`."
        } else if self.by_app_armor {
            "AppArmor refuses user namespaces (kernel.apparmor_restrict_unprivileged_userns). `sudo apt install \
             bubblewrap`; on Ubuntu 24.04 also apparmor-profiles, then copy \
             /usr/share/apparmor/extra-profiles/bwrap-userns-restrict to /etc/apparmor.d and `sudo systemctl reload \
             apparmor`."
        } else if self.in_container {
            "This is a container, which refuses namespaces and mounts: run baton outside, or start the container so \
             that it may make them (Docker: `--security-opt seccomp=unconfined --security-opt apparmor=unconfined \
             --security-opt systempaths=unconfined`)."
        } else {
            "Install util-linux (unshare, mount, setsid, setpriv), or bubblewrap. Where both are there, see what \
             `unshare --user --map-root-user --net --mount true` says."
        };
        words.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINUX: Facts = Facts {
        is_linux: true,
        switched_off: false,
        for_root_only: false,
        by_app_armor: false,
        in_container: false,
        has_bwrap: false,
    };

    #[test]
    fn each_setting_that_refuses_is_named_with_its_way_out() {
        let cases = [
            (Facts { is_linux: false, ..LINUX }, "Linux only"),
            (Facts { switched_off: true, by_app_armor: true, ..LINUX }, "user.max_user_namespaces=15000"),
            (Facts { for_root_only: true, ..LINUX }, "kernel.unprivileged_userns_clone=1"),
            (Facts { by_app_armor: true, ..LINUX }, "apt install bubblewrap"),
            (Facts { by_app_armor: true, has_bwrap: true, ..LINUX }, "bubblewrap has no profile"),
            (Facts { in_container: true, ..LINUX }, "--security-opt"),
            (LINUX, "Install util-linux"),
        ];
        for (facts, part) in cases {
            assert!(facts.mend().contains(part), "{facts:?}: {}", facts.mend());
        }
    }

    #[test]
    fn settings_are_read_where_the_kernel_keeps_them() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("proc/sys/user/max_user_namespaces", "96365\n");
        assert_eq!(Facts::read(root.path()), Facts { is_linux: cfg!(target_os = "linux"), ..Facts::default() });
        write("proc/sys/user/max_user_namespaces", "0\n");
        write("proc/sys/kernel/unprivileged_userns_clone", "0\n");
        write("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
        write("run/.containerenv", "");
        write("usr/bin/bwrap", "");
        let all = Facts {
            is_linux: cfg!(target_os = "linux"),
            switched_off: true,
            for_root_only: true,
            by_app_armor: true,
            in_container: true,
            has_bwrap: true,
        };
        assert_eq!(Facts::read(root.path()), all);
    }
}
