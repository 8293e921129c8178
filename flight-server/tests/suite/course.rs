//! The schema of the course: who may write it, all or nothing, and what a trainee sees of it.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray};
use haetae_client::{Addition, AsyncClient, ConnectOptions};
use haetae_flight_server::policy::hash_password;
use tonic::Code;

use crate::harness::{Running, ask, cells, status};

const PASSWORD: &str = "a long password";

static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD).unwrap());

/// ann is the training office, kim a trainee, lee a statistician.
fn policy() -> String {
    format!(
        "[users.ann]\nrole = \"office\"\npassword = \"{0}\"\n\
         [users.kim]\nrole = \"trainee\"\npassword = \"{0}\"\nattributes = {{ trainee = \"7\" }}\n\
         [users.lee]\nrole = \"statistician\"\npassword = \"{0}\"\n[users.min]\nrole = \"everything\"\npassword = \"{0}\"\n\
         [roles.office]\ntables = [\"course.*\"]\nclear = [\"identifier\", \"name\", \"raw_text\"]\nwrite = [\"course.*\"]\n\
         [roles.trainee]\ntables = [\"course.trainees\", \"course.enrolments\", \"course.modules\"]\n\
         clear = [\"identifier\", \"name\"]\nattributes = [\"trainee\"]\n\
         rows.\"course.trainees\" = \"trainee_id = $trainee\"\nrows.\"course.enrolments\" = \"trainee_id = $trainee\"\n\
         [roles.statistician]\ntables = [\"course.*\"]\n[roles.everything]\ntables = [\"*\"]\n",
        *HASH
    )
}

async fn client(server: &Running, user: &str) -> AsyncClient {
    let secret = server.place.file("password", PASSWORD);
    let options = ConnectOptions::new(&format!("http://{}", server.address)).user(user).secret_file(secret);
    AsyncClient::connect(&options).await.unwrap()
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn people(numbers: &[&str], names: &[&str]) -> Addition {
    let columns = [("trainee_id", texts(numbers), true), ("name", texts(names), true)];
    let rows = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    Addition { schema: "course".to_owned(), table: "trainees".to_owned(), rows, replaces: false }
}

fn enrolments(numbers: &[&str], days: &[Option<i32>]) -> Addition {
    let on: ArrayRef = Arc::new(Date32Array::from(days.to_vec()));
    let cohorts = vec!["spring"; numbers.len()];
    let columns = [("cohort", texts(&cohorts), true), ("trainee_id", texts(numbers), true), ("enrolled_on", on, true)];
    let rows = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    Addition { schema: "course".to_owned(), table: "enrolments".to_owned(), rows, replaces: false }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_writes_all_or_nothing() {
    let server = Running::under(&policy()).await;
    let ann = client(&server, "ann").await;
    let both =
        [people(&["7", "8"], &["Aru Ospan", "Bek Sadyr"]), enrolments(&["7", "8"], &[Some(20_000), Some(20_001)])];
    assert_eq!(ann.add(&both).await.unwrap(), 4);
    // A key that is there already, and a value that has to be there, take the other table with them.
    for wrong in [enrolments(&["8"], &[Some(20_002)]), enrolments(&["9"], &[None])] {
        let error = ann.add(&[people(&["9"], &["Chon Dal"]), wrong]).await.unwrap_err().to_string();
        assert!(error.contains("course.enrolments"), "{error}");
    }
    let mut plain = server.client_of("ann", PASSWORD).await;
    let all = "select t.trainee_id, t.name, e.enrolled_on from course.trainees t join course.enrolments e \
               on e.trainee_id = t.trainee_id order by t.trainee_id";
    let expected = [["7", "Aru Ospan", "2024-10-04"], ["8", "Bek Sadyr", "2024-10-05"]];
    assert_eq!(ask(&mut plain, all).await.unwrap(), expected);
    let replaced = Addition { replaces: true, ..people(&["7"], &["Aru Ospan"]) };
    ann.add(&[replaced]).await.unwrap();
    assert_eq!(ask(&mut plain, "select count(*) from course.trainees").await.unwrap(), [["1"]]);
    let sql = "select title, class from meta.datasets where schema_name = 'course' and table_name = 'trainees'";
    assert_eq!(ask(&mut plain, sql).await.unwrap(), [["Trainees", "personal"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainee_sees_their_own_rows_and_a_statistician_no_names() {
    let server = Running::under(&policy()).await;
    let both =
        [people(&["7", "8"], &["Aru Ospan", "Bek Sadyr"]), enrolments(&["7", "8"], &[Some(20_000), Some(20_001)])];
    client(&server, "ann").await.add(&both).await.unwrap();
    let kim = client(&server, "kim").await;
    let own = kim.query("select trainee_id, name from course.trainees").await.unwrap();
    assert_eq!(cells(&own.batches), [["7", "Aru Ospan"]]);
    let count = kim.query("select count(*) from course.enrolments").await.unwrap();
    assert_eq!(cells(&count.batches), [["1"]]);
    let refused = kim.add(&[people(&["9"], &["Chon Dal"])]).await.unwrap_err().to_string();
    assert!(refused.contains("writing course.trainees is not allowed"), "{refused}");
    let mut lee = server.client_of("lee", PASSWORD).await;
    let seen = ask(&mut lee, "select trainee_id, name from course.trainees").await.unwrap();
    assert_eq!(seen.len(), 2);
    for row in &seen {
        assert!(row[0].len() == 32 && !row[1].contains("Ospan") && !row[1].contains("Sadyr"), "{row:?}");
    }
    // The star does not stand for it.
    let mut min = server.client_of("min", PASSWORD).await;
    assert_eq!(status(ask(&mut min, "select * from course.trainees")).await.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_change_it_by_its_keys() {
    let server = Running::start().await;
    let mut owner = server.client().await;
    let sql = "insert into course.trainees values ('7', 'Aru Ospan'), ('8', null)";
    let renamed = "update course.trainees set name = 'Bek Sadyr' where trainee_id = '8'";
    let gone = "delete from course.trainees where trainee_id = '7'";
    let again = "insert into course.trainees values ('8', 'x')";
    assert_eq!(owner.execute_update(sql.to_owned(), None).await.unwrap(), 2);
    assert_eq!(owner.execute_update(renamed.to_owned(), None).await.unwrap(), 1);
    assert_eq!(owner.execute_update(gone.to_owned(), None).await.unwrap(), 1);
    assert_eq!(ask(&mut owner, "select trainee_id, name from course.trainees").await.unwrap(), [["8", "Bek Sadyr"]]);
    let again = status(owner.execute_update(again.to_owned(), None)).await;
    assert!(again.message().contains("duplicate key"), "{again}");
}
