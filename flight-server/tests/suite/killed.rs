//! The program, killed while it loads a file: the old version or the whole new one.

use std::path::Path;
use std::process::Stdio;

use haetae_flight_server::USER;

use crate::harness::{Place, ask, connect, password};
use crate::program::{ingest, serve, server};

/// Couriers and different ids among them, as a new server counts them.
fn couriers(place: &Place) -> [String; 2] {
    let (mut child, address) = serve(place, "127.0.0.1:0");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut rows = runtime.block_on(async {
        let mut client = connect(address).await;
        client.handshake(USER, &password(&place.root())).await.unwrap();
        ask(&mut client, "select count(*), count(distinct courier_id) from dim_courier").await.unwrap()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    rows.remove(0).try_into().unwrap()
}

/// Kills a load of a file while its rows are being written; on a busy machine the kill may come behind that.
fn kill_a_load(place: &Place, file: &Path) {
    let mut child = server()
        .args(["ingest", "dim_courier", "--warehouse"])
        .arg(place.root())
        .arg(file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // The rows are being written once a file appears there; that takes much longer than the kill.
    let written = place.root().join("tmp");
    let files = |directory: &Path| std::fs::read_dir(directory).map_or(0, Iterator::count);
    let any = || std::fs::read_dir(&written).unwrap().any(|work| files(&work.unwrap().path()) > 0);
    while !any() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_ingest_leaves_the_old_version() {
    let many: String = (0..300_000).map(|n| format!("K{n},Name {n}\n")).collect();
    for _ in 0..20 {
        let place = Place::new();
        let file = place.file("many.csv", format!("courier_id,name\n{many}"));
        kill_a_load(&place, &file);
        let found = couriers(&place);
        if found == ["300003", "300003"] {
            // The whole new version: the load was faster than the kill.
            continue;
        }
        assert_eq!(found, ["3", "3"]);
        assert!(ingest(&place, &["dim_courier", file.to_str().unwrap()]).status.success());
        assert_eq!(couriers(&place), ["300003", "300003"]);
        return;
    }
    panic!("each of twenty loads was faster than its kill");
}
