package trace

import "testing"

func TestTextIsReturnedInTheRequestedLanguage(t *testing.T) {
	in := Localized{"zh": "好", "de": "gut"}
	for language, want := range map[string]string{
		"": "good", "en": "good", "zh": "好", "zh_TW": "好", "zh-Hant-TW": "好", "de-AT": "gut", "d": "good", "-": "good",
	} {
		if got := in.In(language, "good"); got != want {
			t.Errorf("%q: %q, want %q", language, got, want)
		}
	}
	if got := Localized(nil).In("zh", "good"); got != "good" {
		t.Errorf("without translations: got %q", got)
	}
}

func TestTranslationBelongsToTheTextBeforeIt(t *testing.T) {
	var l Stream
	say := func(kind Kind, language, text string) { l.Emit(Event{Kind: kind, Peer: language, Text: text}) }
	say(KindChapter, "", "one")
	say(KindChapter, "zh", "一")
	say(KindCaption, "", "first")
	say(KindCaption, "zh", "先")
	before := l.State()
	say(KindCaption, "de", "zuerst")
	say(KindCaption, "", "second")
	now := l.State()
	if before.CaptionIn.In("zh", before.Caption) != "先" || len(before.CaptionIn) != 1 {
		t.Errorf("a caption in an older state has changed: %v", before.CaptionIn)
	}
	if now.CaptionIn.In("zh", now.Caption) != "second" || now.ChapterIn.In("zh", now.Chapter) != "一" {
		t.Errorf("the caption is %q %v, the chapter %q %v", now.Caption, now.CaptionIn, now.Chapter, now.ChapterIn)
	}
	var told []string
	for _, line := range now.Story {
		told = append(told, line.In.In("de", line.Text))
	}
	if len(told) != 3 || told[1] != "zuerst" || told[2] != "second" {
		t.Errorf("the story is %q", told)
	}
	say(KindChapter, "", "two")
	now = l.State()
	if now.Caption != "" || now.CaptionIn != nil || now.ChapterIn != nil {
		t.Errorf("a new chapter keeps the caption %q %v, translations %v", now.Caption, now.CaptionIn, now.ChapterIn)
	}
}
