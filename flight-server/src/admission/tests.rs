use std::num::NonZero;

use futures::FutureExt;
use tonic::Code;

use super::*;

fn admission(places: usize, waiting: usize, shared: bool) -> Admission {
    of_patience(Duration::from_secs(3600), places, waiting, shared)
}

fn of_patience(patience: Duration, places: usize, waiting: usize, shared: bool) -> Admission {
    let interactive = NonZero::new(places).unwrap();
    Admission::new(&Bounds { interactive, waiting, patience, ..Bounds::default() }, shared)
}

fn load(admission: &Admission) -> (usize, usize) {
    let Load { running, waiting } = admission.load(Class::Interactive);
    (running, waiting)
}

#[tokio::test]
async fn turns_go_round_among_the_users() {
    let admission = admission(1, 10, true);
    let first = admission.enter(Class::Interactive, "kim", "0").await.unwrap();
    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = Vec::new();
    for (number, (user, query)) in
        [("kim", "1"), ("kim", "2"), ("kim", "3"), ("lee", "4"), ("min", "5")].into_iter().enumerate()
    {
        let (entered, sender) = (admission.clone(), sender.clone());
        tasks.push(tokio::spawn(async move {
            let permit = entered.enter(Class::Interactive, user, query).await.unwrap();
            sender.send(query).unwrap();
            drop(permit);
        }));
        while load(&admission).1 <= number {
            tokio::task::yield_now().await;
        }
    }
    // The other class has its own places.
    drop(admission.enter(Class::Bulk, "kim", "6").await.unwrap());
    drop(first);
    let mut found = Vec::new();
    for _ in 0..5 {
        found.push(order.recv().await.unwrap());
    }
    assert_eq!(found, ["1", "4", "5", "2", "3"]);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(load(&admission), (0, 0));
}

#[tokio::test]
async fn a_full_queue_refuses_and_who_gives_up_leaves_it() {
    let admission = admission(1, 1, false);
    let running = admission.enter(Class::Interactive, "kim", "0").await.unwrap();
    let mut waiting = Box::pin(admission.enter(Class::Interactive, "kim", "1"));
    assert!(waiting.as_mut().now_or_never().is_none());
    let refused = admission.enter(Class::Interactive, "lee", "2").await.err().unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("1 run, 1 wait, 0 of them yours"), "{refused}");
    drop(waiting);
    assert_eq!(load(&admission), (1, 0));
    // Another answer of what runs needs no place, and the place is free when both have ended.
    let again = admission.enter(Class::Interactive, "kim", "0").await.unwrap();
    drop(running);
    assert_eq!(load(&admission), (1, 0));
    drop(again);
    assert_eq!(load(&admission), (0, 0));
}

#[tokio::test]
async fn answers_of_one_query_come_in_together() {
    let admission = admission(1, 10, false);
    let running = admission.enter(Class::Interactive, "kim", "0").await.unwrap();
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(admission.enter(Class::Interactive, "kim", "1"))).collect();
    assert!(waiting.iter_mut().all(|one| one.as_mut().now_or_never().is_none()));
    drop(running);
    let permits: Vec<_> = futures::future::join_all(waiting).await;
    assert!(permits.iter().all(Result::is_ok));
    assert_eq!(load(&admission), (1, 0));
    drop(permits);
    assert_eq!(load(&admission), (0, 0));
}

#[tokio::test]
async fn no_user_takes_all_places_and_an_end_is_told() {
    let admission = admission(4, 4, true);
    let mut own = Vec::new();
    for query in ["0", "1", "2"] {
        own.push(admission.enter(Class::Interactive, "kim", query).await.unwrap());
    }
    let mut fourth = Box::pin(admission.enter(Class::Interactive, "kim", "3"));
    assert!(fourth.as_mut().now_or_never().is_none());
    own.push(admission.enter(Class::Interactive, "lee", "4").await.unwrap());
    admission.close();
    assert_eq!(fourth.await.err().unwrap().code(), Code::Unavailable);
    assert_eq!(admission.enter(Class::Bulk, "lee", "5").await.err().unwrap().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_user_has_three_quarters_of_the_places_at_most_and_one_at_least() {
    for (places, of_a_user) in [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3), (16, 12)] {
        let admission = admission(places, 0, true);
        let mut own = Vec::new();
        while let Ok(permit) = admission.enter(Class::Interactive, "kim", &own.len().to_string()).await {
            own.push(permit);
        }
        assert_eq!(own.len(), of_a_user, "{places}");
    }
}

#[tokio::test]
async fn the_answers_of_one_query_are_bounded() {
    let admission = admission(1, 100, false);
    let enter = |query: &'static str| admission.enter(Class::Interactive, "kim", query);
    let mut own = Vec::new();
    for _ in 0..ANSWERS {
        own.push(enter("0").await.unwrap());
    }
    let refused = enter("0").await.err().unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.message(), "32 answers of this query are being sent already; read one to its end first");
    let mut waiting: Vec<_> = (0..ANSWERS).map(|_| Box::pin(enter("1"))).collect();
    assert!(waiting.iter_mut().all(|one| one.as_mut().now_or_never().is_none()));
    let refused = enter("1").await.err().unwrap();
    assert_eq!(refused.message(), "32 answers of this query wait already; read one to its end first");
    own.pop();
    own.push(enter("0").await.unwrap());
    drop(own);
    assert!(futures::future::join_all(waiting).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn patience_ends() {
    let admission = of_patience(Duration::from_millis(5), 1, 4, false);
    let _running = admission.enter(Class::Interactive, "kim", "0").await.unwrap();
    let late = admission.enter(Class::Interactive, "kim", "1").await.err().unwrap();
    assert_eq!(late.code(), Code::ResourceExhausted);
    assert!(late.message().contains("has waited 0.005 seconds"), "{late}");
    assert_eq!(load(&admission), (1, 0));
}
