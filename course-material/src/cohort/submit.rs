//! Files of a trainee, to copies in the office's folder and a row each.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::rows::{addition, days, numbers, sha256, submission_id, texts};
use super::{Office, refused};
use crate::error::{Error, Result};
use crate::grade;
use crate::source::Course;

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// The module that it is for.
    pub module: String,
    /// The submission.
    pub id: String,
    /// Whether the same file was handed in before.
    pub before: bool,
}

/// Where the copy of a submission lies.
pub(super) fn place(folder: &Path, id: &str) -> PathBuf {
    folder.join("submissions").join(format!("{id}.ipynb"))
}

impl Office {
    /// Takes files of one trainee. The same file once more in the cohort changes nothing.
    ///
    /// # Errors
    /// A trainee who is not enrolled, a file that is no exercise of the course; what the server or the disk says. Files
    /// before the one that fails have been taken.
    pub fn submit(
        &self,
        course: &Course,
        (cohort, trainee): (&str, u32),
        files: &[PathBuf],
        folder: &Path,
        on: i32,
    ) -> Result<Vec<Handed>> {
        self.known(cohort)?;
        let trainee = trainee.to_string();
        if !self.enrolled(cohort)?.contains(&trainee) {
            return Err(refused(format!(
                "trainee {trainee} is not enrolled in {cohort}; use `haetae-course cohort enrol`"
            )));
        }
        let mut attempts = self.attempts(cohort)?;
        files
            .iter()
            .map(|file| {
                let io = |source| Error::Io { path: file.clone(), source };
                let module = grade::module_of(course, file)?.name.clone();
                let bytes = fs::read(file).map_err(io)?;
                let digest = sha256(&bytes);
                let id = submission_id(cohort, &trainee, &module, &digest);
                let known = self.ask("select 1 from course.submissions where submission_id = $1", &[(&id).into()])?;
                if !known.rows.is_empty() {
                    return Ok(Handed { module, id, before: true });
                }
                // First the file: a row without one could not be graded.
                keep(&place(folder, &id), &bytes)?;
                let attempt = attempts.entry((trainee.clone(), module.clone())).or_default();
                *attempt += 1;
                self.add(vec![addition(
                    "submissions",
                    vec![
                        ("submission_id", texts([&id])),
                        ("cohort", texts([cohort])),
                        ("trainee_id", texts([&trainee])),
                        ("module", texts([&module])),
                        ("attempt", numbers([*attempt as u64])),
                        ("handed_in_on", days([Some(on)])),
                        ("file_sha256", texts([&digest])),
                        ("file_bytes", numbers([bytes.len() as u64])),
                    ],
                )?])?;
                Ok(Handed { module, id, before: false })
            })
            .collect()
    }
}

/// For the office alone: a trainee who has an account on the machine must not find the files of the others. When this comes
/// back the file is there to stay.
fn keep(path: &Path, bytes: &[u8]) -> Result<()> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(io)?;
    // It may have been there, from a call that was broken off.
    file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(io)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io)?;
    // The folder and the one above, which may be as new.
    for folder in path.ancestors().skip(1).take(2) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let io = |source| Error::Io { path: folder.to_owned(), source };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_for_the_office_alone_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = place(&folder.path().join("office"), "1");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "something longer that was broken off").unwrap();
        keep(&path, b"all").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"all");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(submission_id("a", "7", "01-tour", "0"), submission_id("b", "7", "01-tour", "0"));
    }
}
