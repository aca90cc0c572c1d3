//! Whole imports into a stand-in for a cluster, which keeps the promises of the API that an import builds on.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use threefold_entity::value::search::fold;

use super::*;

/// What all replicas of the stand-in share.
#[derive(Default)]
struct Store {
    /// Input and first answer of each known idempotency key.
    keys: HashMap<String, (Value, Value)>,
    expenses: HashMap<String, Value>,
    /// Name and id.
    categories: Vec<(String, String)>,
    urls: Vec<String>,
    /// Answers to mutations that are to be lost: the mutation takes effect, and the connection brings a 502.
    answers_to_lose: usize,
    /// Answers NO_LEADER to that many requests.
    without_leader: usize,
    /// The ledger is full.
    no_more_categories: bool,
    /// User errors for the next chunk.
    refuse_with: Option<Value>,
    chunks_received: usize,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Store>>);

impl Fake {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap()
    }

    /// Starts one more replica and returns its address.
    async fn replica(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/graphql", post(answer))
            .layer(axum::extract::DefaultBodyLimit::max(2 * chunk::MAX_BYTES))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        self.store().urls.push(url.clone());
        url
    }
}

async fn answer(State(fake): State<Fake>, Json(request): Json<Value>) -> (StatusCode, Json<Value>) {
    let mut store = fake.store();
    if store.without_leader > 0 {
        store.without_leader -= 1;
        let error = json!({"message": "no leader", "extensions": {"code": "NO_LEADER"}});
        return (
            StatusCode::OK,
            Json(json!({"data": null, "errors": [error]})),
        );
    }
    let query = request["query"].as_str().unwrap();
    let variables = &request["variables"];
    let name = query.split([' ', '(']).nth(1).unwrap();
    let data = match name {
        "Replicas" => {
            json!({"replicas": store.urls.iter().map(|url| json!({"id": "1", "url": url})).collect::<Vec<_>>()})
        }
        "Ledgers" => json!({"ledgers": [{"id": uuid::Uuid::nil(), "name": "Household"}]}),
        "Categories" => {
            let categories = store
                .categories
                .iter()
                .map(|(name, id)| json!({"id": id, "name": name}));
            json!({"categories": categories.collect::<Vec<_>>()})
        }
        "Outcome" => {
            let known = store
                .keys
                .get(variables["idempotencyKey"].as_str().unwrap());
            json!({"outcome": known.map(|(_, answer)| replayed(answer))})
        }
        "AddCategory" => {
            json!({"addCategory": store.mutate(&variables["input"], Store::add_category)})
        }
        "AddExpenses" => {
            store.chunks_received += 1;
            json!({"addExpenses": store.mutate(&variables["input"], Store::add_expenses)})
        }
        other => panic!("unexpected operation {other}"),
    };
    if name.starts_with("Add") && store.answers_to_lose > 0 {
        store.answers_to_lose -= 1;
        return (StatusCode::BAD_GATEWAY, Json(json!("lost")));
    }
    (StatusCode::OK, Json(json!({"data": data})))
}

fn accepted() -> Value {
    json!({"receipt": {"replayed": false, "pending": []}, "userErrors": []})
}

/// The same answer when it is given once more.
fn replayed(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some(receipt) = answer["receipt"].as_object_mut() {
        receipt.insert("replayed".to_owned(), json!(true));
    }
    answer
}

fn refused(code: &str, field: &[&str]) -> Value {
    let error = json!({"code": code, "message": format!("it is {code}"), "field": field});
    json!({"receipt": null, "userErrors": [error]})
}

impl Store {
    fn mutate(&mut self, input: &Value, apply: fn(&mut Self, &Value) -> Option<Value>) -> Value {
        let key = input["idempotencyKey"].as_str().unwrap().to_owned();
        match self.keys.get(&key) {
            Some((known, answer)) if known == input => return replayed(answer),
            Some(_) => return refused("KEY_REUSED", &["input", "idempotencyKey"]),
            None => {}
        }
        let answer = apply(self, input).unwrap_or_else(accepted);
        self.keys.insert(key, (input.clone(), answer.clone()));
        answer
    }

    fn add_category(&mut self, input: &Value) -> Option<Value> {
        let (name, id) = (
            input["name"].as_str().unwrap(),
            input["id"].as_str().unwrap(),
        );
        if self.categories.iter().any(|known| known.1 == id) {
            return Some(refused("ALREADY_EXISTS", &["input", "id"]));
        }
        if self
            .categories
            .iter()
            .any(|known| fold(&known.0) == fold(name))
        {
            return Some(refused("ALREADY_EXISTS", &["input", "name"]));
        }
        if self.no_more_categories {
            return Some(refused("LIMIT_REACHED", &[]));
        }
        self.categories.push((name.to_owned(), id.to_owned()));
        None
    }

    fn add_expenses(&mut self, input: &Value) -> Option<Value> {
        if let Some(refusal) = self.refuse_with.take() {
            return Some(refusal);
        }
        let expenses = input["expenses"].as_array().unwrap();
        assert!((1..=1000).contains(&expenses.len()));
        if expenses
            .iter()
            .any(|expense| self.expenses.contains_key(expense["id"].as_str().unwrap()))
        {
            return Some(refused("ALREADY_EXISTS", &["input", "expenses", "0", "id"]));
        }
        let known = |id: &str| self.categories.iter().any(|category| category.1 == id);
        let unknown = expenses
            .iter()
            .position(|expense| expense["categoryId"].as_str().is_some_and(|id| !known(id)));
        if let Some(index) = unknown {
            let field = ["input", "expenses", &index.to_string(), "categoryId"];
            return Some(refused("NOT_FOUND", &field));
        }
        for expense in expenses {
            self.expenses
                .insert(expense["id"].as_str().unwrap().to_owned(), expense.clone());
        }
        None
    }
}

fn sample(rows: u64) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    crate::cli::sample::write(&mut file, rows, 1).unwrap();
    file
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

async fn import_to(urls: &[&str], file: &NamedTempFile) -> Result<(u64, u64), String> {
    let args = Args {
        file: file.path().to_owned(),
        url: urls.iter().map(|url| url.parse().unwrap()).collect(),
        ledger: None,
        access_token_file: None,
        give_up_after_seconds: 2,
    };
    let totals = import(args).await.map_err(|error| format!("{error:#}"))?;
    Ok((totals.added, totals.already_there))
}

/// An address at which nothing listens.
fn closed_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_file_imported_again_adds_nothing() {
    let fake = Fake::default();
    let url = fake.replica().await;
    let file = sample(2500);
    assert_eq!(import_to(&[&url], &file).await, Ok((2500, 0)));
    assert_eq!(fake.store().expenses.len(), 2500);
    let categories = fake.store().categories.clone();
    assert!(categories.iter().any(|(name, _)| name == "Eating out"));

    assert_eq!(import_to(&[&url], &file).await, Ok((0, 2500)));
    assert_eq!(fake.store().expenses.len(), 2500);
    assert_eq!(fake.store().categories, categories);
    assert_eq!(
        fake.store().chunks_received,
        3,
        "known chunks are not sent again"
    );
}

#[tokio::test]
async fn renamed_categories_make_no_new_expenses_of_old_ones() {
    let fake = Fake::default();
    let url = fake.replica().await;
    let file = sample(1200);
    assert_eq!(import_to(&[&url], &file).await, Ok((1200, 0)));
    for (name, _) in &mut fake.store().categories {
        name.push_str(" (old)");
    }
    let categories = fake.store().categories.len();
    assert_eq!(import_to(&[&url], &file).await, Ok((0, 1200)));
    assert_eq!(fake.store().categories.len(), categories);

    // Another file names a category whose id is taken under another name: it gets one of its own.
    assert_eq!(import_to(&[&url], &sample(1100)).await, Ok((1100, 0)));
    assert!(fake.store().categories.len() > categories);
}

#[tokio::test]
async fn forgotten_keys_do_not_double_expenses() {
    let fake = Fake::default();
    let url = fake.replica().await;
    let file = sample(1500);
    assert_eq!(import_to(&[&url], &file).await, Ok((1500, 0)));
    fake.store().keys.clear();
    assert_eq!(import_to(&[&url], &file).await, Ok((0, 1500)));
    assert_eq!(fake.store().expenses.len(), 1500);
}

#[tokio::test]
async fn an_import_carries_on_where_another_one_stopped() {
    let fake = Fake::default();
    let url = fake.replica().await;
    let file = sample(2500);
    assert_eq!(import_to(&[&url], &file).await, Ok((2500, 0)));
    // Undo what the last chunk did.
    let last = {
        let mut store = fake.store();
        let is_last = |(input, _): &(Value, Value)| {
            input["expenses"]
                .as_array()
                .is_some_and(|all| all.len() == 500)
        };
        let key = store
            .keys
            .iter()
            .find(|(_, known)| is_last(known))
            .unwrap()
            .0
            .clone();
        store.keys.remove(&key).unwrap().0
    };
    for expense in last["expenses"].as_array().unwrap() {
        fake.store()
            .expenses
            .remove(expense["id"].as_str().unwrap());
    }
    assert_eq!(import_to(&[&url], &file).await, Ok((500, 2000)));
    assert_eq!(fake.store().expenses.len(), 2500);
    assert!(
        fake.store().keys.values().any(|(input, _)| *input == last),
        "the same payload as before"
    );
}

#[tokio::test]
async fn another_replica_carries_on() {
    let fake = Fake::default();
    let (first, _second) = (fake.replica().await, fake.replica().await);
    // A dead address first, then elections, then lost answers of mutations that took effect.
    fake.store().without_leader = 3;
    fake.store().answers_to_lose = 3;
    assert_eq!(
        import_to(&[&closed_port(), &first], &sample(2500)).await,
        Ok((2500, 0))
    );
    assert_eq!(fake.store().expenses.len(), 2500);
}

#[tokio::test]
async fn nobody_there_is_given_up_in_time() {
    let error = import_to(&[&closed_port()], &sample(10)).await.unwrap_err();
    assert!(
        error.contains("gave up after 2 s") && error.contains("refused"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_row_is_named_and_nothing_sent() {
    let fake = Fake::default();
    let url = fake.replica().await;
    let text = "date,description,amount,currency\n2024-01-01,a,1,EUR\n2024-01-01,a,1.5,JPY\n";
    let error = import_to(&[&url], &file(text)).await.unwrap_err();
    assert!(
        error.contains("line 3: JPY has 0 decimals, this amount has 1"),
        "{error}"
    );
    assert!(fake.store().keys.is_empty());
}

#[tokio::test]
async fn a_refusal_names_the_line() {
    let fake = Fake::default();
    let url = fake.replica().await;
    fake.store().refuse_with = Some(refused("INVALID", &["input", "expenses", "1", "amount"]));
    let text = "date,description,amount,currency\n2024-01-01,a,1,EUR\n\n2024-01-01,a,2,EUR\n";
    let error = import_to(&[&url], &file(text)).await.unwrap_err();
    assert!(
        error.contains("refused lines 2 to 4") && error.contains("line 4: it is INVALID"),
        "{error}"
    );

    fake.store().refuse_with = Some(refused("KEY_REUSED", &["input", "idempotencyKey"]));
    let error = import_to(&[&url], &file(text)).await.unwrap_err();
    assert!(error.contains("under the same key"), "{error}");
}

#[tokio::test]
async fn what_was_refused_is_added_once_its_cause_is_mended() {
    let fake = Fake::default();
    let url = fake.replica().await;
    let file = sample(1500);

    // A category is refused, and then a chunk; each time the same import again gets further.
    fake.store().no_more_categories = true;
    for _ in 0..2 {
        let error = import_to(&[&url], &file).await.unwrap_err();
        assert!(error.contains("it is LIMIT_REACHED"), "{error}");
    }
    fake.store().no_more_categories = false;
    for _ in 0..2 {
        fake.store().refuse_with = Some(refused("LIMIT_REACHED", &["input"]));
        let error = import_to(&[&url], &file).await.unwrap_err();
        assert!(error.contains("refused lines 2 to"), "{error}");
    }
    assert_eq!(import_to(&[&url], &file).await, Ok((1500, 0)));
    assert_eq!(import_to(&[&url], &file).await, Ok((0, 1500)));
    assert_eq!(fake.store().expenses.len(), 1500);
}

#[tokio::test]
async fn a_category_deleted_between_two_imports_is_added_again() {
    let fake = Fake::default();
    let url = fake.replica().await;
    let file = sample(1500);
    fake.store().refuse_with = Some(refused("LIMIT_REACHED", &["input"]));
    import_to(&[&url], &file).await.unwrap_err();
    assert!(!fake.store().categories.is_empty(), "they came first");
    fake.store().categories.clear();
    assert_eq!(import_to(&[&url], &file).await, Ok((1500, 0)));
}

#[tokio::test]
async fn twins_are_two_expenses() {
    let fake = Fake::default();
    let url = fake.replica().await;
    let text = "date;description;amount;currency\n2024-01-01;a;1;EUR\n2024-01-01;a;1;EUR\n";
    assert_eq!(import_to(&[&url], &file(text)).await, Ok((2, 0)));
    assert_eq!(fake.store().expenses.len(), 2);
}
