//! What the demo says once it serves: where everything is, and a first thing to try.

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

use super::member::MemberPlan;

/// Where the page is, a table of the replicas, a mutation for one of them and the query for another.
pub(super) fn message<'a>(plans: impl Iterator<Item = &'a MemberPlan>) -> String {
    let plans: Vec<&MemberPlan> = plans.collect();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["Replica", "Page", "API", "Log"]);
    for plan in &plans {
        table.add_row([
            plan.id.to_string(),
            format!("{}/", plan.public_url),
            format!("{}/graphql", plan.public_url),
            plan.log.display().to_string(),
        ]);
    }
    let mut message = "\nThree replicas serve, and hold the same expenses.\n".to_owned();
    if let Some(first) = plans.first() {
        message.push_str(&format!(
            "\n  The page:  {0}/\n  GraphiQL:  {0}/graphiql\n\n",
            first.public_url
        ));
    }
    message.push_str(&format!("{table}\n"));
    if let [first, .., last] = plans.as_slice() {
        message.push_str(&format!(
            "\nAdd an expense on replica {}:\n  {}\n\nRead it on replica {}:\n  {}\n",
            first.id,
            add_line(&first.public_url),
            last.id,
            read_line(&last.public_url),
        ));
        message.push_str(&format!(
            "\nWatch the replicas: threefold status --url {}\n",
            first.public_url
        ));
    }
    message.push_str("Ctrl-C stops everything; the next start has the data.");
    message
}

fn add_line(url: &str) -> String {
    curl_line(
        url,
        "mutation { addExpense(input: { description: \\\"Coffee\\\", amount: \\\"3.20\\\", currency: \\\"EUR\\\", spentOn: \\\"2026-11-22\\\" }) \
         { expense { id description amount { amount currency } } receipt { revision acknowledgedBy { replicaId state } } \
         userErrors { code message } } }",
    )
}

fn read_line(url: &str) -> String {
    curl_line(
        url,
        "{ expenses(first: 5) { revision totalCount nodes { description amount { amount currency } spentOn } } }",
    )
}

/// The document is JSON text inside single quotes of the shell: it holds no single quote.
fn curl_line(url: &str, document: &str) -> String {
    format!(
        "curl -s {url}/graphql -H 'Content-Type: application/json' -d '{{\"query\":\"{document}\"}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curl_lines_carry_valid_json() {
        for line in [
            add_line("http://127.0.0.1:8081"),
            read_line("http://127.0.0.1:8083"),
        ] {
            let body = line.split(" -d ").nth(1).unwrap().trim_matches('\'');
            assert!(!body.contains('\''), "{line}");
            let request: serde_json::Value = serde_json::from_str(body).unwrap();
            assert!(
                request["query"].as_str().unwrap().contains("expense"),
                "{line}"
            );
        }
    }
}
