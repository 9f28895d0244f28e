//! A page as a browser reads it: its elements in their order, with what stands in them.

use std::collections::BTreeMap;

use html5ever::driver::ParseOpts;
use html5ever::tendril::TendrilSink;
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// An element of a page.
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// Its text and that of all elements within, without blanks at the ends.
    pub text: String,
    /// Where it stands among the elements of the page, and where the first stands that is not within it.
    pub place: usize,
    pub end: usize,
    pub parent: Option<usize>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// A page that was read.
pub struct Page {
    pub elements: Vec<Element>,
    pub faults: Vec<String>,
}

impl Page {
    pub fn read(html: &str) -> Self {
        let dom = html5ever::parse_document(RcDom::default(), ParseOpts::default()).one(html);
        let faults = dom.errors.borrow().iter().map(ToString::to_string).collect();
        let mut page = Self { elements: Vec::new(), faults };
        page.enter(&dom.document, None);
        page
    }

    fn enter(&mut self, node: &Handle, parent: Option<usize>) -> String {
        let mut place = parent;
        if let NodeData::Element { name, attrs, .. } = &node.data {
            place = Some(self.elements.len());
            let attributes =
                attrs.borrow().iter().map(|one| (one.name.local.to_string(), one.value.to_string())).collect();
            let (name, text, start) = (name.local.to_string(), String::new(), self.elements.len());
            self.elements.push(Element { name, attributes, text, place: start, end: start, parent });
        }
        let mut text = String::new();
        if let NodeData::Text { contents } = &node.data {
            text.push_str(&contents.borrow());
        }
        for child in node.children.borrow().iter() {
            text.push_str(&self.enter(child, place));
        }
        if let (NodeData::Element { .. }, Some(place)) = (&node.data, place) {
            self.elements[place].end = self.elements.len();
            text.trim().clone_into(&mut self.elements[place].text);
        }
        text
    }

    /// Every element of these names, in the order of the page.
    pub fn all(&self, names: &[&str]) -> Vec<&Element> {
        self.elements.iter().filter(|element| names.contains(&element.name.as_str())).collect()
    }

    /// Every element of a name within another.
    pub fn within(&self, outer: &Element, name: &str) -> Vec<&Element> {
        self.elements[outer.place + 1..outer.end].iter().filter(|element| element.name == name).collect()
    }

    /// The elements with this `id`.
    pub fn with_id(&self, id: &str) -> Vec<&Element> {
        self.elements.iter().filter(|element| element.attribute("id") == Some(id)).collect()
    }

    /// The first child of an element.
    pub fn first_child(&self, outer: &Element) -> &Element {
        let inside = &self.elements[outer.place + 1..outer.end];
        inside.iter().find(|element| element.parent == Some(outer.place)).expect("it has a child")
    }

    /// The section that a heading names.
    pub fn section(&self, heading: &str) -> &Element {
        let sections = self.all(&["section"]);
        sections.into_iter().find(|one| one.attribute("aria-labelledby") == Some(heading)).expect("it is there")
    }

    /// The rows of the body of the first table behind an element.
    pub fn rows_after(&self, element: &Element) -> Vec<&Element> {
        let table = self.elements[element.place..].iter().find(|one| one.name == "table").expect("a table follows");
        self.within(self.within(table, "tbody")[0], "tr")
    }
}
