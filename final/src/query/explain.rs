//! Why was this the answer, and what did it cost? The plan as a tree, with what was expected and what was counted.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// One step of a query: what it did, in facts, and the steps that fed it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Explain {
    /// What the step is: `fusion rrf`, `nearest`, `segment 3`, ….
    pub step: String,
    /// Choices, estimates and counts by name.
    #[serde(serialize_with = "by_name")]
    pub facts: Vec<(&'static str, Value)>,
    /// The steps it took its input from.
    pub inputs: Vec<Explain>,
}

impl Explain {
    /// A step without facts yet.
    pub fn new(step: impl Into<String>) -> Self {
        Self { step: step.into(), ..Self::default() }
    }

    /// Notes a fact.
    pub fn fact(&mut self, name: &'static str, value: impl Into<Value>) -> &mut Self {
        self.facts.push((name, value.into()));
        self
    }

    /// The tree as indented lines, for humans.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write_text(0, &mut text);
        text
    }

    fn write_text(&self, depth: usize, text: &mut String) {
        let mut facts: Vec<String> =
            self.facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        facts.sort_unstable();
        text.push_str(&format!("{:indent$}{} {}", "", self.step, facts.join(" "), indent = 2 * depth));
        text.truncate(text.trim_end().len());
        text.push('\n');
        self.inputs.iter().for_each(|input| input.write_text(depth + 1, text));
    }
}

/// Facts as an object. They are kept in a list, which costs a query less than a map.
fn by_name<S: Serializer>(facts: &[(&'static str, Value)], serializer: S) -> Result<S::Ok, S::Error> {
    facts.iter().map(|(name, value)| (*name, value)).collect::<BTreeMap<_, _>>().serialize(serializer)
}
