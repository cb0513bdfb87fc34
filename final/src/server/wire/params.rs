//! How hard should a search look, in JSON? `params` of a query.

use serde::Deserialize;

use crate::{
    query::{CodeParams, SearchParams},
    server::reject::{Answer, Reject},
};

/// More is not asked for in earnest.
const MOST_OVERSAMPLING: f64 = 1_000.0;

/// `params`: what Kith acts on; everything else that Qdrant knows is read past.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct ParamsInput {
    /// Breadth of the walk through a graph.
    pub hnsw_ef: Option<usize>,
    /// Compare with every point.
    pub exact: Option<bool>,
    /// Leave out what has no graph yet.
    pub indexed_only: Option<bool>,
    /// How codes are used.
    pub quantization: Option<QuantizationParams>,
}

/// `params.quantization`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct QuantizationParams {
    /// Compute every distance from the numbers.
    pub ignore: Option<bool>,
    /// Compute the hits' distances from the numbers.
    pub rescore: Option<bool>,
    /// How many times as many hits as wanted are rescored.
    pub oversampling: Option<f64>,
}

impl ParamsInput {
    /// What they come to, with the defaults for what was not said.
    pub fn read(self) -> Answer<SearchParams> {
        let codes = self.quantization.unwrap_or_default();
        let oversampling = codes.oversampling.unwrap_or(1.0);
        if !(1.0..=MOST_OVERSAMPLING).contains(&oversampling) {
            let text = format!("value {oversampling} invalid, must be from 1.0 to {MOST_OVERSAMPLING}");
            return Err(Reject::validation("params.quantization.oversampling", text));
        }
        Ok(SearchParams {
            exact: self.exact.unwrap_or(false),
            hnsw_ef: self.hnsw_ef.filter(|&ef| ef > 0),
            indexed_only: self.indexed_only.unwrap_or(false),
            codes: CodeParams {
                ignore: codes.ignore.unwrap_or(false),
                rescore: codes.rescore.unwrap_or(true),
                oversampling,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(params: Value) -> Answer<SearchParams> {
        serde_json::from_value::<ParamsInput>(params).unwrap().read()
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let params = read(json!({"hnsw_ef": 0, "quantization": null, "acorn": {"enable": true}})).unwrap();
        assert_eq!((params.hnsw_ef, params.exact, params.codes), (None, false, CodeParams::default()));
        let codes = read(json!({"quantization": {"rescore": false, "oversampling": 2}})).unwrap().codes;
        assert_eq!(codes, CodeParams { ignore: false, rescore: false, oversampling: 2.0 });
    }

    #[test]
    fn less_than_what_is_wanted_cannot_be_rescored() {
        for oversampling in [0.5, -1.0, 1e9] {
            let refused = read(json!({"quantization": {"oversampling": oversampling}})).unwrap_err();
            assert_eq!(refused.status.as_u16(), 422);
            assert!(refused.message.contains("params.quantization.oversampling"), "{}", refused.message);
        }
    }
}
