//! What does a whole post look like once it is read, and what is refused?

use super::*;

const POST: &str = "\
# 3. Ownership

Two lines
of prose.

**`src/a.rs`** (new, red)

````rust
/// ```
pub fn a() {}
````

```text error=moved
```

<!-- naive: ch03_naive exits 1 -->

<details><summary>One</summary>

**`src/b.rs`** (solution)

```diff
+x
```

</details>

**`src/a.rs`** (delete)
";

fn parse(text: &str) -> crate::fault::Result<Post> {
    Post::parse("3".parse().unwrap(), "03-a.md", text)
}

#[test]
fn a_post_is_cut_into_blocks_that_know_their_place() {
    let post = parse(POST).unwrap();
    assert_eq!(post.title, "3. Ownership");
    let kinds: Vec<(usize, &str)> = post
        .blocks
        .iter()
        .map(|block| {
            let kind = match &block.kind {
                Kind::Heading { .. } => "heading",
                Kind::Prose { .. } => "prose",
                Kind::Listing(_) => "listing",
                Kind::Fence(_) => "fence",
                Kind::Naive(_) => "naive",
                Kind::Html { .. } => "html",
            };
            (block.line, kind)
        })
        .collect();
    let expected = [
        (1, "heading"),
        (3, "prose"),
        (6, "listing"),
        (13, "fence"),
        (16, "naive"),
        (18, "html"),
        (20, "listing"),
        (26, "html"),
        (28, "listing"),
    ];
    assert_eq!(kinds, expected);
    // Nothing but empty lines lies between the blocks.
    let mut at = 0;
    for block in &post.blocks {
        assert!(post.text[at..block.span.start].trim().is_empty());
        at = block.span.end;
    }
    assert_eq!(at, post.text.len());
}

#[test]
fn a_listing_holds_its_text() {
    let post = parse(POST).unwrap();
    let (_, listing) = post.listings().next().unwrap();
    let fence = listing.fence.as_ref().unwrap();
    assert_eq!(fence.body, "/// ```\npub fn a() {}\n");
    assert_eq!(&post.text[fence.span.clone()], fence.body);
    assert!(listing.flags.red && listing.what == What::New);
    let (block, solution) = post.listings().nth(1).unwrap();
    assert_eq!((block.details, solution.flags.course), (Some(18), Course::Solution));
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_line() {
    let refused = [
        ("```\nx\n```", 3, "without a label"),
        ("```text\nx", 3, "never closed"),
        ("```rust\nx\n```", 3, "caption"),
        ("**`a.rs`** (new)\n\nprose", 3, "no fence"),
        ("**`a.rs`** (new)\n\n```diff\n+x\n```", 5, "a change is"),
        ("**`a.rs`**\n\n```rust\nx\n```", 5, "a change is"),
        ("**`a.rs`** (solution)\n\n```diff\n```", 3, "folded"),
        ("* a\n\n  ```text\n  ```", 5, "beginning of a line"),
        ("~~~\n~~~", 3, "beginning of a line"),
        ("<details>", 3, "never closed"),
        ("</details>", 3, "without"),
        ("<!-- naive: x -->", 3, "as in"),
        ("```text error=a\n```\n```text error=a\n```", 5, "twice"),
    ];
    for (text, line, words) in refused {
        let fault = parse(&format!("# 3. T\n\n{text}\n")).unwrap_err();
        assert_eq!((fault.line, fault.message.contains(words)), (line, true), "{text}: {fault}");
    }
    assert!(parse("no title\n").is_err());
    assert!(parse("# T\n\n<details><summary>Why?</summary>\n\nSo.\n</details>\n").is_ok());
}
