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

/// Whether a folded value says that there is none.
pub(crate) fn is_no_value(value: &str) -> bool {
    value.len() <= 9 && NO_VALUES.contains(&value) || value.chars().all(|c| !c.is_alphanumeric())
}
