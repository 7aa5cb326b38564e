//! Keywords of IANA's registry of protocol numbers, in lower case as ECS has them.

const NUMBERS: &[(u8, &str)] = &[
    (0, "hopopt"),
    (1, "icmp"),
    (2, "igmp"),
    (3, "ggp"),
    (4, "ipv4"),
    (5, "st"),
    (6, "tcp"),
    (8, "egp"),
    (9, "igp"),
    (17, "udp"),
    (27, "rdp"),
    (33, "dccp"),
    (41, "ipv6"),
    (43, "ipv6-route"),
    (44, "ipv6-frag"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (59, "ipv6-nonxt"),
    (60, "ipv6-opts"),
    (88, "eigrp"),
    (89, "ospfigp"),
    (94, "ipip"),
    (97, "etherip"),
    (98, "encap"),
    (103, "pim"),
    (108, "ipcomp"),
    (112, "vrrp"),
    (115, "l2tp"),
    (118, "stp"),
    (132, "sctp"),
    (136, "udplite"),
    (137, "mpls-in-ip"),
    (139, "hip"),
];
/// What vendors write instead.
const OTHERS: &[(&str, &str)] = &[
    ("icmpv6", "ipv6-icmp"),
    ("icmp6", "ipv6-icmp"),
    ("ipv6icmp", "ipv6-icmp"),
    ("ospf", "ospfigp"),
    ("ip-in-ip", "ipip"),
    ("ipinip", "ipip"),
    ("udp-lite", "udplite"),
];

/// The keyword of a number or a name; none for what is neither.
pub fn keyword(text: &str) -> Option<&'static str> {
    if let Ok(number) = text.parse::<u8>() {
        return NUMBERS.iter().find(|(each, _)| *each == number).map(|(_, name)| *name);
    }
    let other = OTHERS.iter().find(|(each, _)| each.eq_ignore_ascii_case(text)).map(|(_, name)| *name);
    other.or_else(|| NUMBERS.iter().map(|(_, name)| *name).find(|name| name.eq_ignore_ascii_case(text)))
}
