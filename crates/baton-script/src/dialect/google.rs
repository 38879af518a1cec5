//! What Google says when it refuses: a status in words, and details that name reason, quota and delay.

use super::failure::Wording;
use crate::fault::Fault;

/// Per minute: the delay comes with [`retry_info`].
const PER_MINUTE: &str = r#"{"@type": "type.googleapis.com/google.rpc.QuotaFailure","violations": [{"quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier","quotaDimensions": {"location": "global","model": "scripted"},"quotaValue": "10"}]}"#;

const PER_DAY: &str = r#"{"@type": "type.googleapis.com/google.rpc.QuotaFailure","violations": [{"quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaDimensions": {"location": "global","model": "scripted"},"quotaValue": "250"}]},{"@type": "type.googleapis.com/google.rpc.RetryInfo","retryDelay": "38s"}"#;

const KEY_INVALID: &str = r#"{"@type": "type.googleapis.com/google.rpc.ErrorInfo","reason": "API_KEY_INVALID","domain": "googleapis.com","metadata": {"service": "generativelanguage.googleapis.com"}}"#;

const OVER_QUOTA: &str = "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.";

pub(super) fn retry_info(seconds: u64) -> String {
    format!(r#"{{"@type": "type.googleapis.com/google.rpc.RetryInfo","retryDelay": "{seconds}s"}}"#)
}

pub(super) fn wording(fault: Fault, model: &str) -> Wording {
    match fault {
        Fault::Unauthorized => {
            detailed(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", KEY_INVALID)
        }
        Fault::Forbidden => Wording::new(403, "PERMISSION_DENIED", "The caller does not have permission"),
        Fault::ModelNotFound => {
            let message = format!(
                "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods."
            );
            Wording::new(404, "NOT_FOUND", &message)
        }
        Fault::ContextTooLong => Wording::new(
            400,
            "INVALID_ARGUMENT",
            "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).",
        ),
        Fault::SchemaRefused => Wording::new(
            400,
            "INVALID_ARGUMENT",
            "Invalid JSON payload received. Unknown name \"responseJsonSchema\" at 'generation_config': Cannot find field.",
        ),
        Fault::TooLarge => {
            Wording::new(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.")
        }
        Fault::RateLimited | Fault::RateLimitedSeconds | Fault::RateLimitedDate => {
            detailed(429, "RESOURCE_EXHAUSTED", OVER_QUOTA, PER_MINUTE)
        }
        Fault::InsufficientQuota => detailed(429, "RESOURCE_EXHAUSTED", OVER_QUOTA, PER_DAY),
        Fault::Unavailable | Fault::Overloaded | Fault::StreamError => {
            Wording::new(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
        }
        _ => Wording::new(
            500,
            "INTERNAL",
            "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
        ),
    }
}

fn detailed(status: u16, kind: &'static str, message: &str, details: &str) -> Wording {
    let mut wording = Wording::new(status, kind, message);
    details.clone_into(&mut wording.details);
    wording
}
