//! What goes in: what users may see of a version. What comes out: their sessions, which are made once: a request of
//! somebody who has asked before derives nothing from the edits of the catalogue, and plans no policy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::prelude::SessionContext;

use super::Access;
use crate::Result;
use crate::store::Pinned;

/// How many are kept ready.
const KEPT: usize = 64;

/// The views of one version.
#[derive(Default)]
pub(in crate::query) struct Views(Mutex<Vec<View>>);

#[derive(Clone)]
struct View {
    /// The access that was asked for: itself, because its name says what it shows, and not what it may change.
    asked: Arc<Access>,
    /// The version that it was brought up to.
    newest: u64,
    /// The same as it is there.
    access: Arc<Access>,
    context: Arc<SessionContext>,
}

impl Views {
    /// What `asked` shows of the version `read`, by what `newest` says of tables. `make` makes a session that is not there.
    pub(in crate::query) fn of(
        &self,
        asked: &Arc<Access>,
        newest: &Pinned,
        read: &Pinned,
        make: impl FnOnce(&Arc<Access>) -> Result<SessionContext>,
    ) -> Result<(Arc<Access>, Arc<SessionContext>)> {
        let ready = self.find(|view| Arc::ptr_eq(&view.asked, asked) && view.newest == newest.version);
        if let Some(View { access, context, .. }) = ready {
            return Ok((access, context));
        }
        let access = asked.under(newest, read);
        let context = match self.find(|view| view.access.id == access.id) {
            Some(view) => view.context,
            None => Arc::new(make(&access)?),
        };
        let mut views = self.lock();
        views.retain(|view| !Arc::ptr_eq(&view.asked, asked) && view.access.id != access.id);
        if views.len() >= KEPT {
            views.remove(0);
        }
        let view = View { asked: Arc::clone(asked), newest: newest.version, access, context };
        views.push(view.clone());
        Ok((view.access, view.context))
    }

    fn find(&self, wanted: impl Fn(&View) -> bool) -> Option<View> {
        self.lock().iter().find(|view| wanted(view)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<View>> {
        // The list is whole after each change, so that a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
