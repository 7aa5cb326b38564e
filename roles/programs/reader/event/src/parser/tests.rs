use super::Parser;

#[test]
fn what_is_wrong_with_a_parser_is_said_with_its_line() {
    for (text, line, expected) in [
        ("", 1, "the file is empty"),
        ("read: jsn", 1, "is no step"),
        ("fields: {source.ip: a}", 1, "how a line is read"),
        ("read: json\nfild: {}", 2, "has no \"fild\""),
        ("read: json\nfields:\n  source ip: a", 3, "is no ECS name"),
        ("read: json\nfields:\n  '@timestamp': a", 3, "written by `clock`"),
        ("read: json\nfields:\n  source.ip: $hots", 3, "$hots is not known"),
        ("read: json\nclock: {from: a}", 2, "needs \"format\""),
        ("read: json\nclock: {from: a, format: '%Q'}", 2, "no directive"),
        ("read: json\nclock: {from: a, format: '%Y'}", 2, "no month"),
        ("read: json\nfields:\n  a.b: {from: x}", 3, "exactly one of"),
        ("read: json\nfields:\n  a.b: {from: x, as: small}", 3, "not known"),
        ("read: {pattern: ['{a', 'b']}", 1, "not closed"),
        ("read: {csv: {columns: {0: a}}}", 1, "the first is 1"),
        ("read: {csv: {separator: ab}}", 1, "is no separator"),
        ("read: {pattern: '{a:word}'}\nfields: {source.ip: b}", 1, "no pattern gives \"b\""),
        ("read: {xml: {below: Event}}", 1, "known are of, root"),
        ("read: {json: {outside_xml: yes}}", 1, "is true or false, not \"yes\""),
        ("read: json\nread: cef", 2, "twice"),
        ("read: json\nforms: []", 2, "forms is empty"),
        ("read: json\nforms:\n  - read: [json\n", 4, ""),
        ("read: !x json", 1, "tags"),
        ("read: json\n---\nread: cef", 4, "a second document"),
    ] {
        let problem = Parser::new("x", text).unwrap_err();
        assert!(problem.what.contains(expected), "{text}: {}", problem.what);
        assert_eq!(problem.line, line, "{text}: {}", problem.what);
    }
}

#[test]
fn a_part_may_be_repeated_but_not_without_end() {
    let parser = Parser::new("x", "read: json\nforms:\n  - fields: &all {source.ip: a, user.name: b}\n  - fields: *all\n").unwrap();
    assert_eq!(parser.forms[1].fields.len(), 2);
    let mut text = String::from("nothing: &a0 [x, x]\nnot_cpr:\n");
    for each in 1..30 {
        text.push_str(&format!("  - &a{each} [*a{}, *a{}]\n", each - 1, each - 1));
    }
    assert!(Parser::new("x", &text).unwrap_err().what.contains("repeat too much"));
}

#[test]
fn a_form_has_what_the_file_says_and_its_own() {
    let text = "read: json\nnothing: [none]\nfields: {source.ip: a, user.name: b}\nforms:\n  - fields: {user.name: null, event.action: c}\n    nothing: [never]\n";
    let parser = Parser::new("x", text).unwrap();
    let names: Vec<&str> = parser.forms[0].fields.iter().map(|field| field.ecs.as_str()).collect();
    assert_eq!(names, ["event.action", "source.ip"]);
    assert!(["none", "never", "-"].iter().all(|each| parser.forms[0].nothing.contains(&(*each).to_owned())));
}
