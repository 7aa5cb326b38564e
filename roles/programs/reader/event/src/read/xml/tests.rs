use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::line::tests::{event_of, source};
use crate::line::Source;
use crate::mask::Mask;
use crate::parser::names::Names;
use crate::read::values::{From, Values};

const WANTED: [&str; 14] = [
    "System.Provider.Name",
    "System.EventID",
    "System.EventID.Qualifiers",
    "System.TimeCreated.SystemTime",
    "System.Computer",
    "EventData",
    "EventData.User",
    "EventData.IpAddress",
    "EventData.0",
    "EventData.1",
    "EventData.Id. de host",
    "UserData.LogFileCleared.SubjectUserName",
    "RenderingInfo.Keywords.Keyword",
    "a",
];

/// The fields of a text, `name=value`; none when it is not read.
fn taken(text: &str) -> Option<Vec<String>> {
    let mut names = Names::default();
    for name in WANTED {
        names.add(name);
    }
    let mut values = Values::default();
    values.start(names.len());
    let mut sink = Sink { names: &names, values: &mut values, from: From::Message(0) };
    read(Some("Event"), text, &mut sink).then(|| {
        let found = WANTED.iter().filter_map(|name| Some((name, values.get(names.find(name)?)?)));
        found.map(|(name, value)| format!("{name}={}", values.text(value, text))).collect()
    })
}

/// An event with this in its `EventData`.
fn data(inner: &str) -> String {
    format!("<Event><EventData>{inner}</EventData></Event>")
}

#[test]
fn every_way_to_write_a_value() {
    for (text, expected) in [
        ("<Event xmlns='http://x'><System><Provider Name='P' Guid='{1}'/></System></Event>", vec!["System.Provider.Name=P"]),
        (
            "<Event><System><EventID Qualifiers=\"0\">4625</EventID></System></Event>",
            vec!["System.EventID=4625", "System.EventID.Qualifiers=0"],
        ),
        (
            "<Event><System><TimeCreated SystemTime = 't' /><Computer >dc</Computer ></System></Event >",
            vec!["System.TimeCreated.SystemTime=t", "System.Computer=dc"],
        ),
        ("<e:Event xmlns:e='x'><e:System><e:Computer>dc</e:Computer></e:System></e:Event>", vec!["System.Computer=dc"]),
        (
            "<Event><UserData><LogFileCleared xmlns='x'><SubjectUserName>bo</SubjectUserName></LogFileCleared></UserData></Event>",
            vec!["UserData.LogFileCleared.SubjectUserName=bo"],
        ),
        (
            "<Event><RenderingInfo Culture='da'><Keywords><Keyword>Audit Failure</Keyword></Keywords></RenderingInfo></Event>",
            vec!["RenderingInfo.Keywords.Keyword=Audit Failure"],
        ),
        ("<?xml version=\"1.0\" encoding='utf-8'?> <!-- < -- ><x --><Event><a>1</a></Event>#000", vec!["a=1"]),
        ("\u{feff}<Event>#015#012 <a>1</a>#011</Event>#015#012", vec!["a=1"]),
        ("wec7.kommune.example <Event a='1'/>", vec!["a=1"]),
        ("<Event a=''/>", vec!["a="]),
        ("<Event/>", vec![]),
        ("<Event><Data Name='System.EventID'>1</Data><EventData><Data Name='System.EventID'>2</Data></EventData></Event>", vec![]),
    ] {
        assert_eq!(
            taken(text).as_deref(),
            Some(expected.as_slice().iter().map(|each| (*each).to_owned()).collect::<Vec<_>>().as_slice()),
            "{text}"
        );
    }
}

#[test]
fn data_is_known_by_its_name_or_its_place() {
    for (inner, expected) in [
        ("<Data Name='User'>anna</Data><Data Name='IpAddress'/>", vec!["EventData.User=anna"]),
        ("<Data Type='x' Name=\"User\"></Data><Data Name='User'>anna</Data>", vec!["EventData.User=anna"]),
        ("<Data Name='Id. de host'>æ</Data>", vec!["EventData.Id. de host=æ"]),
        ("<Data>a</Data><Data Name='User'>b</Data><Data>c</Data>", vec!["EventData.User=b", "EventData.0=a", "EventData.1=c"]),
        ("<Data/><Data Name=''>c</Data>", vec!["EventData.1=c"]),
        (
            "<Data Name='Us&#101;r'>a&lt;b&gt; &amp;amp; &quot;&apos;&#13;&#x0D;&#x1F600;&#xD83D;</Data>",
            vec!["EventData.User=a<b> &amp; \"'\r\r😀\u{fffd}"],
        ),
        ("<Data Name='User'>a]]&gt;<![CDATA[<b>&lt;]]>c<!-- <x> -->d<?x y?></Data>", vec!["EventData.User=a]]><b>&lt;cd"]),
        ("<Data Name='User'><![CDATA[a&b]]></Data>", vec!["EventData.User=a&b"]),
        ("<Data Name='User'>a > b 'c' \"d\"</Data>", vec!["EventData.User=a > b 'c' \"d\""]),
        // Text beside elements is no value.
        ("<Data Name='User'>a<b/>c</Data>", vec![]),
        ("text", vec!["EventData=text"]),
    ] {
        assert_eq!(taken(&data(inner)).unwrap(), expected, "{inner}");
    }
}

#[test]
fn what_is_no_event_is_not_read() {
    let deep = |levels: usize| data(&format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels)));
    assert!(taken(&deep(DEEPEST - 2)).is_some());
    let mut wrong: Vec<String> = [
        "",
        "Event",
        "<",
        "<Event",
        "<Event>",
        "<Event/",
        "<Event/><Event/>",
        "<Event></Event>x",
        "<Events><Event/></Events>",
        "<Event></System>",
        "<Event><System></Event></System>",
        "<Event><a>1</b></Event>",
        "<event/>",
        "<Event a='1'b='2'/>",
        "<Event a=1/>",
        "<Event a/>",
        "<Event a='1/>",
        "<Event a='1<'/>",
        "<Event / >",
        "< Event/>",
        "<Event><1/></Event>",
        "<Event></ Event>",
        "<Event><!-- </Event>",
        "<Event><![CDATA[ </Event>",
        "<Event><!ELEMENT a></Event>",
        "a word and <Event/>",
        "{\"a\":\"<Event/>\"}",
        "\"<Event/>\"",
        "<Event><EventData><Data Name='User' Name='IpAddress'>x</Data></EventData></Event>",
        "<!DOCTYPE Event><Event/>",
        "<!DOCTYPE Event [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;'>]><Event><a>&b;</a></Event>",
        "<!DOCTYPE Event SYSTEM 'file:///etc/passwd'><Event/>",
    ]
    .map(str::to_owned)
    .to_vec();
    for reference in [
        "&",
        "&amp",
        "&b;",
        "&LT;",
        "&;",
        "&#;",
        "&#x;",
        "&#-1;",
        "&#+1;",
        "&#1_;",
        "&#x110000;",
        "&#xg;",
        "&#99999999999;",
        "&aaaaaaaaaaaaaaaaa;",
    ] {
        wrong.push(data(&format!("<Data Name='User'>{reference}</Data>")));
        wrong.push(data(&format!("<Data Name='{reference}'>a</Data>")));
    }
    wrong.extend([deep(DEEPEST - 1), deep(10_000), data(&"<a>".repeat(10_000)), data(&format!("<a b='{}", "x".repeat(65_536)))]);
    for text in wrong {
        assert_eq!(taken(&text), None, "{}", &text[..text.len().min(120)]);
    }
    let long = "x".repeat(65_536);
    assert_eq!(
        taken(&data(&format!("<a b='{long}'/><Data Name='{long}'>y</Data><Data Name='User'>{long}</Data>"))).unwrap(),
        [format!("EventData.User={long}")]
    );
}

/// The fields that the parser of Windows events finds.
fn fields(line: &str) -> (bool, Json) {
    static SOURCE: LazyLock<Source> = LazyLock::new(|| source(include_str!("../../../../parsers/windows-nxlog.yml"), Mask::Keep));
    let event = event_of(&SOURCE, line.as_bytes());
    (event["parsed"] == true, event["ecs"].clone())
}

/// An event with all that is special about XML.
const WHOLE: &str = "<14>1 2026-11-29T12:00:04Z wec7 x - - - <?xml version='1.0'?><Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><!-- {\"EventID\":1} --><System><Provider Name=\"P\"/><EventID Qualifiers='0'>4624</EventID><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='2026-11-29T12:00:00.1234567Z'/><Channel>Security</Channel><Computer>dc7</Computer><Security/></System><EventData><Data Name='TargetUserName'>an&#110;a</Data><Data Name='x'>{\"EventID\":4625,\"TargetUserName\":\"root\",\"IpAddress\":\"6.6.6.6\"}</Data><Data Name='y'><![CDATA[</Data><Data Name='IpAddress'>6.6.6.6</Data>]]></Data><Data Name='IpAddress'>::ffff:10.0.0.5</Data></EventData></Event>";

#[test]
fn half_an_event_is_not_read() {
    let (parsed, ecs) = fields(WHOLE);
    assert!(parsed);
    assert_eq!((&ecs["user.name"], &ecs["source.ip"], &ecs["event.code"]), (&"anna".into(), &"10.0.0.5".into(), &"4624".into()), "{ecs}");
    for (end, _) in WHOLE.char_indices() {
        let (parsed, ecs) = fields(&WHOLE[..end]);
        assert!(!parsed && ecs.as_object().unwrap().len() == 1, "{}: {ecs}", &WHOLE[..end]);
    }
    for (start, _) in WHOLE.char_indices().skip(WHOLE.find("<Event").unwrap() + 1) {
        assert!(!fields(&WHOLE[start..]).0, "{}", &WHOLE[start..]);
    }
}

const NAMES: [&str; 14] = [
    "TargetUserName",
    "SubjectUserName",
    "TargetDomainName",
    "SubjectDomainName",
    "IpAddress",
    "ClientAddress",
    "SourceIp",
    "LogonType",
    "NewProcessName",
    "Image",
    "User",
    "Protocol",
    "DestinationPort",
    "Other",
];

/// A value as each of the ways of XML.
fn written(value: &str, way: usize) -> String {
    let escaped = value.replace('&', "&amp;").replace('<', "&lt;");
    match way {
        0 => escaped,
        1 => escaped.replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#x27;"),
        2 => value.chars().map(|each| format!("&#{};", u32::from(each))).collect(),
        3 => value.chars().map(|each| format!("<![CDATA[{each}]]>")).collect(),
        _ => format!("<!-- {{ -->{escaped}"),
    }
}

/// Who acts is the subject, whoever or whatever else an event names: by Microsoft's page of each event.
#[test]
fn the_subject_of_an_event_is_its_user() {
    let all = |codes: &[(u32, u32)]| codes.iter().flat_map(|(first, last)| *first..=*last).collect::<Vec<_>>();
    let accounts = all(&[
        (4648, 4648),
        (4720, 4720),
        (4722, 4726),
        (4738, 4738),
        (4741, 4743),
        (4765, 4767),
        (4780, 4780),
        (4782, 4782),
        (4793, 4793),
        (4797, 4798),
    ]);
    let groups = all(&[(4727, 4735), (4737, 4737), (4744, 4764), (4783, 4792), (4799, 4799)]);
    for (codes, named) in [(accounts, "user.target.name"), (groups, "group.name")] {
        for code in codes {
            let data = "\"TargetUserName\":\"other\",\"TargetDomainName\":\"T\",\"SubjectUserName\":\"bo\",\"SubjectDomainName\":\"S\"";
            let element: String =
                [("TargetUserName", "other"), ("TargetDomainName", "T"), ("SubjectUserName", "bo"), ("SubjectDomainName", "S")]
                    .map(|(name, value)| format!("<Data Name='{name}'>{value}</Data>"))
                    .concat();
            let own = "<TargetUserName>other</TargetUserName><TargetDomainName>T</TargetDomainName><SubjectUserName>bo</SubjectUserName><SubjectDomainName>S</SubjectDomainName>";
            for line in [
                format!("<13>{{\"EventID\":{code},\"Channel\":\"Security\",{data}}}"),
                format!("<13>{{\"winlog\":{{\"event_id\":{code},\"channel\":\"Security\",\"event_data\":{{{data}}}}}}}"),
                format!("<13><Event><System><EventID>{code}</EventID><Channel>Security</Channel></System><EventData>{element}</EventData></Event>"),
                format!("<13><Event><EventID>{code}</EventID><Channel>Security</Channel>{own}</Event>"),
            ] {
                let (parsed, ecs) = fields(&line);
                assert!(parsed, "{line}");
                assert_eq!((&ecs["user.name"], &ecs["user.domain"], &ecs[named]), (&"bo".into(), &"S".into(), &"other".into()), "{line}: {ecs}");
                let beside = if named == "group.name" { "user.target.name" } else { "group.name" };
                assert!(ecs.get(beside).is_none(), "{line}: {ecs}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The same event as NXLog's JSON, as Windows' XML and as NXLog's XML gives the same fields.
    #[test]
    fn an_event_says_the_same_as_xml_and_as_json(
        code in prop::sample::select(vec!["4624", "4625", "4648", "4720", "4728", "4730", "4798", "4799", "1", "3"]),
        sysmon in any::<bool>(),
        failed in any::<bool>(),
        values in prop::collection::btree_map(
            prop::sample::select(NAMES.to_vec()),
            "(10\\.0\\.0\\.5|::ffff:10\\.0\\.0\\.6|-|K\\\\anna|tcp|443|[a-zæ\"'<>&;#{}\\[\\]\\\\ ]{0,12}|\\{\"IpAddress\":\"6\\.6\\.6\\.6\"\\}|</Data>)",
            0..8,
        ),
        ways in prop::collection::vec(0usize..5, 14),
        quote in prop::sample::select(vec!['"', '\'']),
        gap in prop::sample::select(vec!["", " ", "#015#012  ", "\r\n\t"]),
    ) {
        let (channel, provider) = if sysmon { ("Sysmon/Operational", "Microsoft-Windows-Sysmon") } else { ("Security", "P") };
        let (kind, keywords) = if failed { ("AUDIT_FAILURE", "0x8010000000000000") } else { ("AUDIT_SUCCESS", "0x8020000000000000") };
        let head = "<14>1 2026-11-29T12:00:00Z wec7 x - - - ";
        let mut json = serde_json::json!({"Hostname": "dc7", "EventType": kind, "EventID": code, "SourceName": provider, "Channel": channel});
        let mut windows = format!("{head}<Event>{gap}<System><Provider Name={quote}{provider}{quote}/>{gap}<EventID>{code}</EventID><Keywords>{keywords}</Keywords><TimeCreated{gap} SystemTime={quote}2026-11-29T12:00:00.000000000Z{quote}{gap}/><Channel>{channel}</Channel><Computer>dc7</Computer></System>{gap}<EventData>{gap}");
        let mut nxlog = format!("{head}<Event>{gap}<Hostname>dc7</Hostname><EventType>{kind}</EventType><EventID>{code}</EventID><SourceName>{provider}</SourceName><Channel>{channel}</Channel>");
        for ((name, value), way) in values.iter().zip(ways) {
            json[*name] = value.as_str().into();
            let text = written(value, way);
            windows.push_str(&format!("<Data Name={quote}{name}{quote}>{text}</Data>{gap}"));
            nxlog.push_str(&format!("<{name}>{text}</{name}>{gap}"));
        }
        windows.push_str("</EventData></Event>");
        nxlog.push_str("</Event>");
        let (parsed, mut expected) = fields(&format!("{head}{json}"));
        prop_assert!(parsed);
        for line in [windows, nxlog] {
            let (parsed, mut found) = fields(&line);
            prop_assert!(parsed, "{}", line);
            for each in [&mut found, &mut expected] {
                each.as_object_mut().unwrap().remove("@timestamp");
            }
            prop_assert_eq!(&found, &expected, "{}", line);
        }
    }

    /// Bytes of an event changed, taken out and put in: it is read or not, and no value comes from beyond its element.
    #[test]
    fn a_changed_event_is_read_or_not(changes in prop::collection::vec((0usize..WHOLE.len(), prop::sample::select(vec!["", "<", ">", "/", "'", "\"", "&", ";", "=", " ", "x", "]]>", "<!--", "-->", "<![CDATA[", "<Data>", "</Data>", "{"]), any::<bool>()), 1..5)) {
        let mut text = WHOLE.to_owned();
        for (at, piece, instead) in changes {
            let at = at.min(text.len() - 1);
            text.replace_range(at..at + usize::from(instead), piece);
        }
        let (parsed, ecs) = fields(&text);
        prop_assert!(parsed || ecs.as_object().unwrap().len() == 1);
        prop_assert!(ecs["event.code"] != "4625" && ecs["user.name"] != "root", "{} {}", text, ecs);
    }
}
