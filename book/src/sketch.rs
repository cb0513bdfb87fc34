//! Is code that is talked about, and not typed, at least Rust? `rustfmt` reads it, as items or as statements.
//!
//! Not here: whether it compiles; what is typed stands in listings.

use std::{
    io::{self, Write},
    process::{Command, Stdio},
};

use crate::{
    fault::Fault,
    post::{Post, Role},
};

/// The `rust ignore=` fences that no parser reads.
pub fn faults(post: &Post) -> Vec<Fault> {
    let sketches = post.fences().filter(|(_, fence)| matches!(fence.role, Role::Ignore { .. }));
    sketches
        .filter_map(|(block, fence)| {
            let message = match wrong(&fence.body) {
                Ok(None) => return None,
                Ok(Some(words)) => format!("this is no Rust, neither items nor statements:\n{words}"),
                Err(error) => format!("rustfmt can't be run: {error}"),
            };
            Some(Fault::new(&post.file, block.line, message))
        })
        .collect()
}

/// What is wrong with the syntax.
fn wrong(code: &str) -> io::Result<Option<String>> {
    match complaint(code)? {
        None => Ok(None),
        Some(words) => Ok(complaint(&format!("fn sketch() {{\n{code}\n}}\n"))?.map(|_| words)),
    }
}

fn complaint(code: &str) -> io::Result<Option<String>> {
    let mut command = Command::new("rustfmt");
    // Comments and long lines are not its business here.
    command.args(["--edition", "2024", "--color", "never", "--config", "error_on_line_overflow=false"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(code.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rust_is_a_sketch() {
        let sketch = |code: &str| {
            let text = format!("# 3. T\n\n```rust ignore=a sketch\n{code}\n```\n");
            faults(&Post::parse("3".parse().unwrap(), "03-t.md", &text).unwrap()).len()
        };
        assert_eq!(sketch("fn a() { /* … */ }"), 0);
        assert_eq!(sketch("let a = vec![1];\nlet b = a;"), 0);
        assert_eq!(sketch("fn a( {"), 1);
    }
}
