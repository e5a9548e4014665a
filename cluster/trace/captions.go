package trace

import (
	"maps"
	"strings"
)

// Localized holds the translations of a text by language. It is never changed in place.
type Localized map[string]string

// In returns the text in a language such as zh or zh-TW: its translation, else that of the
// language without its region, else the original.
func (t Localized) In(language, original string) string {
	for len(t) > 0 && language != "" {
		if text, ok := t[language]; ok {
			return text
		}
		at := strings.LastIndexAny(language, "-_")
		if at < 0 {
			break
		}
		language = language[:at]
	}
	return original
}

// with returns a copy with one more translation.
func (t Localized) with(language, text string) Localized {
	all := maps.Clone(t)
	if all == nil {
		all = Localized{}
	}
	all[language] = text
	return all
}

// applyCaption records a caption or chapter. Its translations follow the original.
func (s *State) applyCaption(e *Event) {
	s.QuestionShown = s.QuestionShown && e.Peer != ""
	switch {
	case e.Kind == KindChapter && e.Peer == "":
		s.Chapter, s.ChapterIn = e.Text, nil
		s.Caption, s.CaptionIn = "", nil
	case e.Kind == KindChapter:
		s.ChapterIn = s.ChapterIn.with(e.Peer, e.Text)
	case e.Peer == "":
		s.Caption, s.CaptionIn, s.CaptionAt = e.Text, nil, e.At
	default:
		s.CaptionIn = s.CaptionIn.with(e.Peer, e.Text)
	}
}

// narrateCaption adds a caption or chapter to the story.
func (s *State) narrateCaption(e *Event) {
	if e.Peer == "" {
		s.addLine(TopicPresentation, "", "%s", e.Text)
		return
	}
	for i := len(s.Story) - 1; i >= 0; i-- {
		if line := &s.Story[i]; line.Topic == TopicPresentation {
			line.In = line.In.with(e.Peer, e.Text)
			return
		}
	}
}
