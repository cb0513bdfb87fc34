//! Does each line that deserves a second look say why it is as it is? In a chapter's sources, tests apart, a comment
//! stands beside each `unwrap`, `expect`, `clone`, `lock`, `unsafe`, `Arc` and `as`.
//!
//! Beside means: at the end of the line, or above it within the same statement, or above that statement. In a test an
//! `unwrap` is an assertion.

use std::{collections::BTreeSet, path::Path};

use syn::{
    spanned::Spanned,
    visit::{self, Visit},
};

use super::count;
use crate::{
    fault::{Fault, Result},
    tree::Tree,
};

const METHODS: [&str; 4] = ["unwrap", "expect", "clone", "lock"];

/// The hazards without a reason in a chapter's folder; `name` is for messages.
pub(super) fn faults(folder: &Path, name: &str) -> Result<Vec<Fault>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut faults = Vec::new();
    for (path, text) in Tree::read(folder)?.0 {
        if path.starts_with("src/") && path.ends_with(".rs") {
            faults.extend(unexplained(&text).into_iter().map(|(line, what)| {
                Fault::new(
                    format!("{name}/{path}"),
                    line,
                    format!("`{what}` without a comment beside it that says why"),
                )
            }));
        }
    }
    Ok(faults)
}

/// The lines of hazards in a source that no comment explains.
pub(super) fn unexplained(text: &str) -> Vec<(usize, &'static str)> {
    let Ok(file) = syn::parse_file(text) else { return Vec::new() };
    let comments = text.lines().enumerate().filter(|(_, line)| line.contains("//"));
    let mut search = Search {
        comments: comments.map(|(index, _)| index + 1).collect(),
        tests: count::tests(text),
        statement: 0,
        found: Vec::new(),
    };
    search.visit_file(&file);
    search.found.sort_unstable();
    search.found.dedup();
    search.found
}

struct Search {
    /// Lines that have one.
    comments: BTreeSet<usize>,
    tests: Vec<(usize, usize)>,
    /// The first line of the innermost statement, field or item.
    statement: usize,
    found: Vec<(usize, &'static str)>,
}

impl Search {
    fn hazard(&mut self, what: &'static str, line: usize) {
        let first = self.statement.clamp(1, line);
        let explained = self.comments.range(first - 1..=line).next().is_some();
        if !explained && !self.tests.iter().any(|(first, last)| (first..=last).contains(&&line)) {
            self.found.push((line, what));
        }
    }

    fn within(&mut self, line: usize, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.statement, line);
        visit(self);
        self.statement = outer;
    }
}

impl<'ast> Visit<'ast> for Search {
    fn visit_stmt(&mut self, node: &'ast syn::Stmt) {
        self.within(node.span().start().line, |search| visit::visit_stmt(search, node));
    }

    fn visit_field(&mut self, node: &'ast syn::Field) {
        self.within(node.span().start().line, |search| visit::visit_field(search, node));
    }

    fn visit_field_value(&mut self, node: &'ast syn::FieldValue) {
        self.within(node.span().start().line, |search| visit::visit_field_value(search, node));
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        self.within(node.span().start().line, |search| visit::visit_arm(search, node));
    }

    fn visit_item(&mut self, node: &'ast syn::Item) {
        // What is imported is used elsewhere.
        if !matches!(node, syn::Item::Use(_)) {
            self.within(node.span().start().line, |search| visit::visit_item(search, node));
        }
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        if let Some(what) = METHODS.into_iter().find(|method| node.method == method) {
            self.hazard(what, node.method.span().start().line);
        }
        visit::visit_expr_method_call(self, node);
    }

    fn visit_expr_cast(&mut self, node: &'ast syn::ExprCast) {
        self.hazard("as", node.as_token.span().start().line);
        visit::visit_expr_cast(self, node);
    }

    fn visit_expr_unsafe(&mut self, node: &'ast syn::ExprUnsafe) {
        self.hazard("unsafe", node.unsafe_token.span().start().line);
        visit::visit_expr_unsafe(self, node);
    }

    fn visit_path_segment(&mut self, node: &'ast syn::PathSegment) {
        if node.ident == "Arc" {
            self.hazard("Arc", node.ident.span().start().line);
        }
        visit::visit_path_segment(self, node);
    }
}
