package trace

import (
	"testing"
	"time"
)

func TestWordsComeInTheLanguageAskedFor(t *testing.T) {
	in := Localized{"zh": "好", "de": "gut"}
	for language, want := range map[string]string{
		"": "good", "en": "good", "zh": "好", "zh_TW": "好", "zh-Hant-TW": "好", "de-AT": "gut", "d": "good", "-": "good",
	} {
		if got := in.In(language, "good"); got != want {
			t.Errorf("%q: %q, wanted %q", language, got, want)
		}
	}
	if got := Localized(nil).In("zh", "good"); got != "good" {
		t.Errorf("without translations: %q", got)
	}
}

func TestATranslationBelongsToTheWordsBeforeIt(t *testing.T) {
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
		t.Errorf("an older state has %v", before.CaptionIn)
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
		t.Errorf("a new chapter begins with %q %v %v", now.Caption, now.CaptionIn, now.ChapterIn)
	}
}

func TestAcknowledgedOperationsAreCountedBySecond(t *testing.T) {
	var s State
	at := func(d time.Duration, n int) {
		for range n {
			s.Apply(&Event{At: d, Kind: KindReturned, Op: &Op{Outcome: OK}})
		}
	}
	at(500*time.Millisecond, 2)
	at(3*time.Second, 1)
	at(21*time.Second, 4) // in the place of the first second
	for second, want := range map[int64]int{-1: 0, 0: 0, 1: 0, 2: 0, 3: 1, 20: 0, 21: 4, 22: 0} {
		if got := s.Clients.OKIn(second); got != want {
			t.Errorf("second %d: %d, wanted %d", second, got, want)
		}
	}
	at(time.Hour, 1)
	if s.Clients.OKIn(3581) != 0 || s.Clients.OKIn(3600) != 1 || s.Clients.OK != 8 {
		t.Errorf("after an hour: %+v", s.Clients)
	}
}
