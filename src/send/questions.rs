//! Questions about stand-ins: asking, seeing, answering.

use crate::ids::FileId;
use crate::send::client::Client;
use crate::send::error::SendError;
use crate::wire::{Answered, Asked, List, NewAnswer, NewQuestion, Question, QuestionState};

/// Rows of one page: also of the longest texts they stay well below what one answer may hold.
const PAGE: &str = "200";
/// Pages that are followed at most; a portal keeps far fewer questions.
const PAGES: usize = 20;

impl Client {
    /// Asks the sender of a snapshot about a stand-in.
    pub fn ask(&self, id: &FileId, question: &NewQuestion) -> Result<Asked, SendError> {
        self.post_json(&["v1", "snapshots", &id.to_string(), "questions"], question, &[201])
    }

    /// The questions of a snapshot in the order they were asked: all, or those in one state. What was answered is told by
    /// [`answer_to`](Self::answer_to).
    pub fn questions(&self, id: &FileId, state: Option<QuestionState>) -> Result<Vec<Question>, SendError> {
        let path = ["v1", "snapshots", &id.to_string(), "questions"];
        let (mut all, mut after) = (Vec::new(), None);
        for _ in 0..PAGES {
            let mut query = vec![("limit", PAGE)];
            query.extend(state.map(|state| ("state", state.word())));
            query.extend(after.as_deref().map(|after| ("after", after)));
            let List { items, next } = self.get_json::<List<Question>>(&path, &query)?;
            all.extend(items);
            after = next;
            if after.is_none() {
                return Ok(all);
            }
        }
        Err(SendError::Unexpected(format!("{}: its list of questions does not end", self.host())))
    }

    /// One question with what was answered. The portal writes down that it was read.
    pub fn answer_to(&self, id: &FileId, question: &str) -> Result<Question, SendError> {
        self.get_json(&["v1", "snapshots", &id.to_string(), "questions", question], &[])
    }

    /// Answers a question, or declines to; the newer answer takes the place of the older.
    pub fn answer(&self, id: &FileId, question: &str, answer: &NewAnswer) -> Result<Answered, SendError> {
        self.post_json(&["v1", "snapshots", &id.to_string(), "questions", question, "answers"], answer, &[200])
    }
}
