//! What it costs to look for civil registration numbers: `cargo bench -p vaern-event --bench mask`.

use std::hint::black_box;

use vaern_event::mask::{apply, find, Context, Mask};

const TIMES: u32 = 200_000;
const ROUNDS: usize = 5;

/// A line of a firewall of 520 bytes with so many digits of each length.
const LINE: &str = "<189>date=2026-11-29 time=12:00:00 devname=\"fw1\" devid=\"FGVM02TM2\" eventtime=1795953600123456789 tz=\"+0000\" \
    logid=\"0000000013\" type=\"traffic\" subtype=\"forward\" level=\"notice\" vd=\"root\" srcip=10.20.0.5 srcport=50111 srcintf=\"port2\" \
    srcintfrole=\"lan\" dstip=203.0.113.80 dstport=443 dstintf=\"port1\" dstintfrole=\"wan\" policyid=12 sessionid=48213 proto=6 \
    action=\"close\" policytype=\"policy\" service=\"HTTPS\" dstcountry=\"Denmark\" srccountry=\"Reserved\" trandisp=\"snat\" transip=192.0.2.4 \
    transport=50111 duration=61 sentbyte=4210 rcvdbyte=98211";

/// Processor time of this process so far: the machine may have other work.
fn processor() -> f64 {
    let seen = std::fs::read_to_string("/proc/self/schedstat").expect("a Linux kernel that counts");
    seen.split(' ').next().and_then(|spent| spent.parse().ok()).expect("nanoseconds")
}

fn nanoseconds(line: &str) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let start = processor();
        for _ in 0..TIMES {
            let found = find(black_box(line), &Context::default());
            black_box(apply(line, &found, &Mask::Mask));
        }
        (processor() - start) / f64::from(TIMES)
    });
    rounds.fold(f64::INFINITY, f64::min)
}

fn main() {
    let number = LINE.replacen("48213", "0107605123", 1);
    let letters = LINE.replacen("Denmark", "Danmark æøå", 1);
    let json = format!("{{\"message\":\"{}\"}}", LINE.replace('"', "\\\""));
    for (name, line) in [("without a number", LINE), ("with one", &number), ("with Danish letters", &letters), ("within JSON", &json)] {
        println!("{:20} {} bytes {:6.0} ns", name, line.len(), nanoseconds(line));
    }
    let long = "2026-11-29 10.20.0.5 010203 ".repeat(20_000);
    println!("{:20} {} bytes {:6.2} ns a byte", "half a megabyte", long.len(), {
        let start = processor();
        black_box(find(black_box(&long), &Context::default()));
        (processor() - start) / long.len() as f64
    });
}
