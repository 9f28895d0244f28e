//! The stop list: words that are hidden only beside a key or within a longer name.

use std::sync::LazyLock;

use super::text::{ByHash, word_hash};

static WORDS: LazyLock<ByHash<&'static str>> = LazyLock::new(|| {
    include_str!("common_words.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .map(|word| (word_hash(word.as_bytes()), word))
        .collect()
});

/// Accounts of the system and of services, not of people: they stay readable.
const SYSTEM_USERS: [&str; 16] = [
    "root",
    "nobody",
    "daemon",
    "bin",
    "sys",
    "www-data",
    "systemd-network",
    "systemd-resolve",
    "systemd-timesync",
    "messagebus",
    "syslog",
    "nt authority",
    "system",
    "local service",
    "network service",
    "nologin",
];

/// Accounts that programs bring along; [`SYSTEM_USERS`] are the ones every system has.
const SERVICES: &str = "adm lp sync shutdown halt mail news uucp operator games ftp proxy backup list irc gnats _apt sshd \
    polkitd rtkit avahi colord gdm sddm lightdm tss dnsmasq chrony ntp ntpd rpc rpcuser nfsnobody postfix postgres mysql \
    mariadb redis mongodb nginx apache httpd tomcat jenkins docker dockremap libvirt-qemu libvirt-dbus qemu kvm vboxadd \
    haproxy varnish squid named bind unbound dhcpd dhcpcd asterisk freeswitch jicofo jvb prosody kamailio opensips coturn \
    turnserver rabbitmq elasticsearch kibana logstash grafana prometheus node_exporter influxdb telegraf zabbix nagios \
    snmp debian-snmp snmpd uuidd tcpdump landscape fwupd-refresh usbmux pulse geoclue whoopsie speech-dispatcher saned \
    cups cups-pk-helper kernoops hplip gnome-initial-setup sudo wheel users staff nogroup audio video plugdev netdev \
    systemd systemd+ systemd-coredump systemd-oom systemd-bus-proxy abrt cockpit-ws cockpit-wsinstance clevis setroubleshoot \
    pipewire flatpak dbus messageb+ syslog ossec wazuh splunk etcd kube ceph gluster nova neutron glance cinder keystone \
    vagrant ubuntu debian centos fedora ec2-user admin administrator guest test user nagios ldap openldap sssd radiusd freerad";

/// Values that say that there is no value.
const NO_VALUES: [&str; 20] = [
    "null",
    "none",
    "nil",
    "true",
    "false",
    "yes",
    "no",
    "unknown",
    "undefined",
    "n/a",
    "na",
    "empty",
    "unset",
    "-",
    "--",
    "?",
    "anonymous",
    "(null)",
    "(none)",
    "*",
];

/// Whether a folded word is on the stop list.
pub(crate) fn is_common(word: &str) -> bool {
    WORDS.get(&word_hash(word.as_bytes())).is_some_and(|known| *known == word)
}

/// Whether a folded value is a processor's architecture, which `uname` and others call the machine.
pub(crate) fn is_architecture(value: &str) -> bool {
    matches!(
        value,
        "x86_64"
            | "x86-64"
            | "x86"
            | "amd64"
            | "arm64"
            | "aarch64"
            | "i386"
            | "i586"
            | "i686"
            | "noarch"
            | "ppc64"
            | "ppc64le"
            | "s390x"
            | "riscv64"
            | "armv7l"
            | "armv8l"
            | "armhf"
    )
}

/// Whether a folded name is an account of the system.
pub(crate) fn is_system_user(name: &str) -> bool {
    SYSTEM_USERS.contains(&name)
}

/// Whether a folded name is an account of the system or of a service.
pub(crate) fn is_service(name: &str) -> bool {
    is_system_user(name)
        || SERVICES.split_whitespace().any(|service| name == service)
        || ["systemd-", "gdm-", "_"].iter().any(|begin| name.starts_with(begin))
}

/// Names of network interfaces, without their numbers.
const INTERFACES: [&str; 14] =
    ["eth", "wlan", "bond", "team", "tun", "tap", "wg", "vlan", "veth", "docker", "virbr", "vmbr", "dummy", "br"];
/// Who owns what runs in Kubernetes.
const WORKLOADS: [&str; 7] = ["replicaset", "daemonset", "statefulset", "deployment", "cronjob", "pod", "namespace"];
/// Accounts of the programs that calls and conferences run on; a log without those words is hard to read.
const PROGRAMS: &str = "keycloak jitsi synapse jibri jigasi jicofo jvb bigbluebutton bbb prosody ejabberd openfire livekit \
    mediasoup kurento coturn turnserver eturnal freeswitch asterisk kamailio opensips greenlight scalelite etherpad \
    pexip nextcloud";

/// Whether a folded value under a user's key is nobody: an interface, a number in hexadecimal, `1000:1000`, `%u`, what owns a
/// pod, or a program's own account.
pub(crate) fn is_nobody(value: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let hex = value
        .strip_prefix("0x")
        .is_some_and(|rest| (2..=16).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_hexdigit()));
    let format =
        value.strip_prefix('%').is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_lowercase()));
    let interface = |known: &&str| value.strip_prefix(*known).is_some_and(digits);
    // `enp0s31f6`, `ens192`, `wlp3s0`
    let by_place = ["en", "wl"].iter().filter_map(|begin| value.strip_prefix(begin)).any(|place| {
        let mut signs = place.bytes();
        matches!(signs.next(), Some(b'o' | b's' | b'p'))
            && place.len() >= 2
            && place.as_bytes()[1].is_ascii_digit()
            && signs.all(|b| b.is_ascii_digit() || matches!(b, b's' | b'f' | b'd' | b'p' | b'n'))
    });
    hex || format
        || by_place
        || INTERFACES.iter().any(interface)
        || WORKLOADS.contains(&value)
        || value.split_once(':').is_some_and(|(user, group)| digits(user) && digits(group))
        || PROGRAMS.split_whitespace().any(|program| program == value)
}

/// Whether a folded value says that there is none.
pub(crate) fn is_no_value(value: &str) -> bool {
    value.len() <= 9 && NO_VALUES.contains(&value) || value.chars().all(|c| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nobody_is_told_from_people() {
        for value in ["eth0", "enp0s31f6", "wlp3s0", "0x7f3a11", "replicaset", "1000:1000", "%u", "keycloak"] {
            assert!(is_nobody(value), "{value}");
        }
        for value in
            ["anna", "ethan", "eth", "bond007x", "0xanna", "enes", "enp", "wlad", "brigitte2", "pat%", "otti:x"]
        {
            assert!(!is_nobody(value), "{value}");
        }
    }
}
