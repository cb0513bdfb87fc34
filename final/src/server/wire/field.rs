//! How is a payload index declared in JSON?

use serde::Deserialize;
use serde_json::Value;

use crate::{
    point::Payload,
    schema::{FieldIndex, FieldKind, TextOptions, Tokenizer},
    server::reject::{Answer, Reject},
};

/// The body of `PUT /collections/{c}/index`.
#[derive(Debug, Deserialize)]
pub struct IndexBody {
    /// The payload path.
    pub field_name: String,
    /// A kind, or an object with a `type`.
    #[serde(alias = "field_type")]
    pub field_schema: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Params {
    #[serde(rename = "type")]
    kind: String,
    lookup: Option<bool>,
    range: Option<bool>,
    tokenizer: Option<String>,
    lowercase: Option<bool>,
    min_token_len: Option<usize>,
    max_token_len: Option<usize>,
    ascii_folding: Option<bool>,
    stopwords: Option<Value>,
    stemmer: Option<Value>,
}

impl IndexBody {
    /// The index that is asked for.
    pub fn index(&self) -> Answer<FieldIndex> {
        let read = |value: Value| {
            serde_json::from_value::<Params>(value)
                .map_err(|error| Reject::format(format!("field_schema: {error}")))?
                .kind()
        };
        match &self.field_schema {
            Some(Value::String(kind)) => {
                let kind = read(serde_json::json!({ "type": kind }))?;
                Ok(FieldIndex { kind, requested: None })
            }
            Some(Value::Object(object)) => {
                let kind = read(Value::Object(object.clone()))?;
                Ok(FieldIndex { kind, requested: Some(known_params(object)) })
            }
            Some(_) => Err(Reject::format("`field_schema` must be a kind, or an object with a `type`")),
            None => {
                Err(Reject::wrong_input("missing `field_schema`; it says what kind of values the field has"))
            }
        }
    }
}

/// The keys that clients know in the echo, without nulls.
fn known_params(object: &Payload) -> Payload {
    const KNOWN: [&str; 16] = [
        "type",
        "lookup",
        "range",
        "is_principal",
        "is_tenant",
        "on_disk",
        "enable_hnsw",
        "tokenizer",
        "lowercase",
        "min_token_len",
        "max_token_len",
        "phrase_matching",
        "ascii_folding",
        "stopwords",
        "stemmer",
        "memory",
    ];
    let known = object.iter().filter(|(key, value)| KNOWN.contains(&key.as_str()) && !value.is_null());
    known.map(|(key, value)| (key.clone(), value.clone())).collect()
}

impl Params {
    fn kind(self) -> Answer<FieldKind> {
        match self.kind.as_str() {
            "keyword" => Ok(FieldKind::Keyword),
            "float" => Ok(FieldKind::Float),
            "geo" => Ok(FieldKind::Geo),
            "bool" => Ok(FieldKind::Bool),
            "datetime" => Ok(FieldKind::Datetime),
            "uuid" => Ok(FieldKind::Uuid),
            "integer" => self.integer(),
            "text" => self.text().map(FieldKind::Text),
            other => Err(Reject::format(format!(
                "field_schema: unknown kind `{other}`, expected one of keyword, integer, float, geo, text, bool, \
                 datetime, uuid"
            ))),
        }
    }

    fn integer(self) -> Answer<FieldKind> {
        let (lookup, range) = (self.lookup.unwrap_or(true), self.range.unwrap_or(true));
        if lookup || range {
            return Ok(FieldKind::Integer { lookup, range });
        }
        Err(Reject::validation(
            "field_schema",
            "the 'lookup' and 'range' capabilities can't be both disabled",
        ))
    }

    fn text(self) -> Answer<TextOptions> {
        let refused = [
            ("stopwords", self.stopwords.is_some_and(|words| !words.is_null())),
            ("stemmer", self.stemmer.is_some_and(|stemmer| !stemmer.is_null())),
            ("ascii_folding", self.ascii_folding == Some(true)),
        ];
        if let Some((name, _)) = refused.into_iter().find(|(_, present)| *present) {
            return Err(Reject::wrong_input(format!("field_schema.{name} is not supported in a text index")));
        }
        let plain = TextOptions::default();
        Ok(TextOptions {
            tokenizer: self.tokenizer.as_deref().map_or(Ok(plain.tokenizer), tokenizer)?,
            lowercase: self.lowercase.unwrap_or(plain.lowercase),
            min_token_len: self.min_token_len,
            max_token_len: self.max_token_len,
        })
    }
}

/// Languages that put nothing between words are cut as all others are.
fn tokenizer(name: &str) -> Answer<Tokenizer> {
    match name {
        "word" | "multilingual" => Ok(Tokenizer::Word),
        "whitespace" => Ok(Tokenizer::Whitespace),
        "prefix" => Ok(Tokenizer::Prefix),
        other => Err(Reject::format(format!(
            "field_schema.tokenizer: unknown `{other}`, expected one of word, whitespace, prefix, multilingual"
        ))),
    }
}

/// How Qdrant calls a kind.
pub fn kind_name(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Keyword => "keyword",
        FieldKind::Integer { .. } => "integer",
        FieldKind::Float => "float",
        FieldKind::Geo => "geo",
        FieldKind::Text(_) => "text",
        FieldKind::Bool => "bool",
        FieldKind::Datetime => "datetime",
        FieldKind::Uuid => "uuid",
    }
}
