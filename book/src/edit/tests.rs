//! Does a listing change what it means, and nothing where it could mean two things?

use super::*;

const FILE: &str = "\
struct A;

impl A {
    fn get(&self) -> u8 {
        self.0
    }
}

impl B {
    fn get(&self) -> u8 {
        self.0
    }
}
";

fn refused(before: &str, body: &str) -> Mismatch {
    apply(before, body).unwrap_err()
}

#[test]
fn pieces_are_changed_at_their_places() {
    let (after, hunks) =
        apply(FILE, "-struct A;\n+struct A(u8);\n\n@@ impl B\n-        self.0\n+        1\n     }\n")
            .unwrap();
    let expected = FILE.replacen("struct A;", "struct A(u8);", 1);
    let (head, tail) = expected.split_at(expected.find("impl B").unwrap());
    assert_eq!(after, format!("{head}{}", tail.replace("self.0", "1")));
    assert_eq!((hunks[0].at, hunks[0].skipped, hunks[1].at), (1, false, 11));
    assert_eq!(hunks[1].items, ["impl B", "fn get(&self) -> u8"]);
    assert_eq!(hunks[1].words.as_deref(), Some("impl B"));
}

#[test]
fn a_mark_means_its_own_item_first() {
    let (after, _) = apply(FILE, "@@ impl A\n-        self.0\n+        1\n").unwrap();
    assert_eq!(after, FILE.replacen("self.0", "1", 1));
}

#[test]
fn an_empty_line_does_not_lead_out_of_an_item() {
    let items = |body: &str| apply(FILE, body).unwrap().1.remove(0).items;
    assert_eq!(items("@@ impl A\n         self.0\n     }\n+\n+    fn set() {}\n"), ["impl A"]);
    assert!(items("@@ impl A\n     }\n }\n+\n+struct C;\n").is_empty());
}

#[test]
fn an_empty_line_is_empty_context() {
    assert_eq!(apply("a\n\nb\n", " a\n\n+c\n b\n").unwrap().0, "a\n\nc\nb\n");
    assert_eq!(apply("", "+a\n").unwrap().0, "a\n");
}

#[test]
fn ambiguous_context_is_refused() {
    let mismatch = refused(FILE, "     fn get(&self) -> u8 {\n+        // one\n         self.0\n");
    assert!(mismatch.message.contains("2 times, at lines 4, 10"), "{}", mismatch.message);
}

#[test]
fn wrong_context_is_answered_with_the_closest_place() {
    let mismatch = refused(FILE, "+// new\n impl B {\n     fn get(&self) -> u16 {\n         self.0\n");
    assert_eq!(mismatch.line, 2);
    for words in [
        "closest is line 9, where 2 of 3",
        "expected: `    fn get(&self) -> u16 {`",
        "line 10: `    fn get(&self) -> u8 {`",
    ] {
        assert!(mismatch.message.contains(words), "{}", mismatch.message);
    }
}

#[test]
fn order_and_sense_are_asked_for() {
    let cases = [
        ("@@ impl B\n-impl A {\n", "stand at line 3, above where they are looked for, line 10"),
        ("-impl B {\n@@\n-impl A {\n", "stand at line 3, above"),
        ("-impl B {\n@@\n-impl C {\n", "no line of this stands in the file below line 9"),
        ("@@ impl C\n-struct A;\n", "no line contains `impl C`"),
        ("+x\n", "need a line of context"),
        (" struct A;\n", "changes nothing"),
        ("", "empty"),
        ("struct A;\n", "begins with a space"),
    ];
    for (body, words) in cases {
        let mismatch = refused(FILE, body);
        assert!(mismatch.message.contains(words), "{body}: {}", mismatch.message);
    }
}

#[test]
fn items_are_found_through_long_signatures() {
    let file = "mod m {\n    pub(crate) async fn long(\n        a: u8,\n    ) -> u8\n    where\n        A: B,\n    {\n        if a {\n            b\n        }\n    }\n}\n";
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(items(&lines, 8), [(0, "mod m".into()), (1, "pub(crate) async fn long".into())]);
    assert_eq!(items(&lines, 1), [(0, "mod m".into())]);
    assert_eq!(item_end(&lines, 1), 11);
}
