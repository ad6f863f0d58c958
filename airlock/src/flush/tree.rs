//! A report as a tree for people.

use std::fmt;
use std::sync::Arc;

use super::report::{FlushReport, ReportEntry};
use crate::context::frame::{Frame, frames};
use crate::scope_info::ScopeInfo;

pub(crate) struct Tree<'a> {
    pub(crate) report: &'a FlushReport,
    pub(crate) arguments: bool,
}

enum Node<'a> {
    Entry(&'a ReportEntry),
    Scope { frame: &'a Arc<Frame>, info: &'a ScopeInfo, nodes: Vec<Node<'a>> },
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        write!(f, "{}", report.scope())?;
        if let Some(executor) = report.executor() {
            write!(f, ", executor {executor}")?;
        }
        writeln!(f, ", {:.1?}", report.duration())?;
        let mut nodes = Vec::new();
        for entry in report.entries() {
            insert(&mut nodes, &self.scopes_between(entry), entry);
        }
        self.write_nodes(f, &nodes, "")?;
        write!(f, "└─ {}", report.counts())?;
        if !report.is_complete() && report.counts().enqueued > report.entries().len() {
            f.write_str(" (only what went wrong is listed; `run_reported` lists all)")?;
        }
        Ok(())
    }
}

impl<'a> Tree<'a> {
    /// The nested scopes an intent was captured through, outermost first.
    fn scopes_between(&self, entry: &'a ReportEntry) -> Vec<&'a Arc<Frame>> {
        let around = entry.intent().and_then(|intent| intent.context.as_ref());
        let mut scopes: Vec<_> = frames(around)
            .take_while(|frame| self.report.own.as_ref().is_none_or(|own| !Arc::ptr_eq(frame, own)))
            .filter(|frame| frame.as_scope().is_some())
            .collect();
        scopes.reverse();
        scopes
    }

    fn write_nodes(&self, f: &mut fmt::Formatter<'_>, nodes: &[Node<'_>], indent: &str) -> fmt::Result {
        for (index, node) in nodes.iter().enumerate() {
            // On the first level the line of counts comes last.
            let last = index + 1 == nodes.len() && !indent.is_empty();
            write!(f, "{indent}{} ", if last { "└─" } else { "├─" })?;
            match node {
                Node::Entry(entry) => self.write_entry(f, entry)?,
                Node::Scope { info, nodes, .. } => {
                    writeln!(f, "{info}")?;
                    let indent = format!("{indent}{}", if last { "   " } else { "│  " });
                    self.write_nodes(f, nodes, &indent)?;
                }
            }
        }
        Ok(())
    }

    fn write_entry(&self, f: &mut fmt::Formatter<'_>, entry: &ReportEntry) -> fmt::Result {
        match entry.intent().filter(|_| self.arguments) {
            Some(intent) => write!(f, "{intent}")?,
            None => f.write_str(entry.name())?,
        }
        if let Some(label) = entry.intent().and_then(|intent| intent.label()) {
            write!(f, " \"{label}\"")?;
        }
        if let Some(origin) = entry.intent().and_then(|intent| intent.origin()) {
            write!(f, " from {origin}")?;
        }
        write!(f, ": {}", entry.outcome())?;
        if let Some(time) = entry.time() {
            write!(f, " in {time:.1?}")?;
        }
        writeln!(f, " ({})", entry.location())
    }
}

fn insert<'a>(nodes: &mut Vec<Node<'a>>, path: &[&'a Arc<Frame>], entry: &'a ReportEntry) {
    let Some((&next, rest)) = path.split_first() else {
        nodes.push(Node::Entry(entry));
        return;
    };
    let Some(scope) = next.as_scope() else { return };
    let is_last = matches!(nodes.last(), Some(Node::Scope { frame, .. }) if Arc::ptr_eq(frame, next));
    if !is_last {
        nodes.push(Node::Scope { frame: next, info: scope.info(), nodes: Vec::new() });
    }
    if let Some(Node::Scope { nodes, .. }) = nodes.last_mut() {
        insert(nodes, rest, entry);
    }
}
