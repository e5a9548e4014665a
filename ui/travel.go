package ui

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
)

// travel is where in time the screen looks: at now, or at a moment of the past.
// While it looks at the past, the world stands still.
type travel struct {
	past    bool
	stepped bool // the world goes on by single events, and this is the latest but few
	waiting bool // for the world to get to its next event
	playing bool // the past goes on by itself
	seq     uint64
	at      time.Duration    // from event seq on, but before the next one
	shown   trace.State      // after event seq
	steps   *mailbox[uint64] // where the world has got to
	line    timeline
	stirred time.Duration // when something to slow down for happened last, while the past is played
}

// newTravel looks at now.
func newTravel() travel { return travel{steps: &mailbox[uint64]{}} }

// fastest is how fast the past is played at most, so that there is something to see.
const fastest = 1000

// second is how far the keys for a second go.
const second = time.Second

// inPast says whether what is shown lies so far back that nothing can be ordered.
func (t *travel) inPast() bool { return t.past && !t.stepped }

// frameMax is the real time that a late frame makes up for.
const frameMax = 100 * time.Millisecond

// passed returns the real time since the frame before, as far as one has to make
// up for it.
func (m *model) passed(tick tickMsg) time.Duration {
	passed := frameEvery
	if !tick.at.IsZero() && !m.shown.at.IsZero() {
		passed = min(max(tick.at.Sub(m.shown.at), 0), frameMax)
	}
	m.shown.at = tick.at
	return passed
}

// still says whether nothing moves on the screen.
func (m *model) still() bool {
	if m.travel.past {
		return !m.travel.playing
	}
	return m.paused || m.cluster == nil
}

// pull brings what is shown up to date, once a frame; passed is the real time since the last one.
func (m *model) pull(passed time.Duration) {
	if m.reader != nil {
		m.reader.Follow()
	}
	for _, seq := range m.travel.steps.take() {
		m.stepDone(seq)
	}
	if m.travel.playing {
		m.playOn(passed)
	}
	if m.travel.past {
		m.travel.shown.CopyTo(&m.state)
		m.state.At = m.travel.at
		return
	}
	m.present(&m.state)
}

// look shows the moment right after an event.
func (m *model) look(seq uint64) {
	e, ok := m.history.Event(seq)
	if !ok {
		m.say("", m.remembers(), true)
		return
	}
	m.show(trace.Position{Seq: seq, At: e.At})
	m.say("", eventWords(&m.travel.shown, &e), false)
}

// lookAt shows a moment of the past, or now if there is no such moment yet.
func (m *model) lookAt(at time.Duration) {
	if at >= m.now().At {
		m.toNow()
		return
	}
	first := m.first()
	at = max(at, first.At)
	m.show(trace.Position{Seq: max(m.history.SeqAt(at), first.Seq), At: at})
}

// show makes a moment of the past what is shown.
func (m *model) show(moment trace.Position) {
	t := &m.travel
	if !t.past {
		t.past, t.stepped, t.playing = true, false, false
		m.setSpeed()
	}
	if !m.history.StateAt(moment.Seq, &t.shown) {
		m.say("", m.remembers(), true)
		m.toNow()
		return
	}
	t.seq, t.at, m.stale = moment.Seq, moment.At, true
	m.views.time.scrolled = false
}

// toNow shows the latest moment; the world goes on if it did before.
func (m *model) toNow() {
	t := &m.travel
	t.past, t.stepped, t.playing, m.stale = false, false, false, true
	m.views.time.scrolled = false
	m.setSpeed()
}

// moment returns the moment that is shown.
func (m *model) moment() trace.Position {
	if m.travel.past {
		return trace.Position{Seq: m.travel.seq, At: m.travel.at}
	}
	return trace.Position{Seq: m.state.Seq, At: m.state.At}
}

// remembers says from when on the past is remembered.
func (m *model) remembers() string {
	first := m.first()
	if m.history.Dropped() > 0 {
		return "nothing is remembered of the time before " + canvas.ClockMillis(first.At) + ": there was no more room for it"
	}
	return "nothing happened before " + canvas.ClockMillis(first.At)
}

func (m *model) firstMoment() {
	m.lookAt(m.first().At)
	if m.history.Dropped() > 0 {
		m.say("", m.remembers(), false)
		return
	}
	m.say("", "this is how it began: space plays it, end goes back to now", false)
}

func (m *model) lastMoment() {
	m.toNow()
	m.say("", "this is now", false)
}

// stepBack goes back to the last event that mattered.
func (m *model) stepBack() {
	before, ok := m.history.Prev(m.moment().Seq)
	if !ok || before < m.first().Seq {
		m.say("", m.remembers(), true)
		return
	}
	m.travel.stepped = false
	m.playPast(false)
	m.look(before)
}

// stepOn goes on to the next event that matters. If none has happened yet, it
// lets the world go on until one does.
func (m *model) stepOn() {
	t := &m.travel
	if t.waiting {
		return
	}
	m.playPast(false)
	if !t.past && !m.paused {
		m.paused = true
		m.setSpeed()
	}
	shown := m.moment()
	if next, ok := m.history.Next(shown.Seq); ok && next <= m.now().Seq {
		m.look(next)
		return
	}
	if m.cluster == nil {
		m.lastMoment()
		return
	}
	// What is shown stays until the world has got there.
	m.show(shown)
	t.stepped, t.waiting, m.paused = true, true, true
	source, steps := m.source, t.steps
	if !m.orders.give(order{step: func() { steps.put(source.step(shown.Seq)) }}) {
		t.waiting = false
	}
	m.say("", "on to the next event…", false)
}

// stepDone shows what the world has done in a step.
func (m *model) stepDone(seq uint64) {
	t := &m.travel
	t.waiting = false
	if seq == 0 {
		m.toNow()
		m.say("", fmt.Sprintf("nothing that matters happened within %s", stepWithin), true)
		return
	}
	m.look(seq)
	t.stepped = true
}

func (m *model) secondBack() { m.goBy(-second) }
func (m *model) secondOn()   { m.goBy(second) }

// goBy goes by a time. Beyond now, the world goes on for that long.
func (m *model) goBy(d time.Duration) {
	m.playPast(false)
	if m.cluster != nil && !m.travel.past && m.paused && d > 0 {
		clock := m.cluster.Clock()
		m.orders.give(order{step: func() { _ = clock.Advance(d) }})
		m.say("", "the world goes on for "+d.String(), false)
		return
	}
	m.travel.stepped = false
	m.lookAt(m.moment().At + d)
}

// playPast has the past go on by itself, or not.
func (m *model) playPast(on bool) { m.travel.playing = on && m.travel.past }

// playOn plays the past for a real time. At its end the world goes on.
func (m *model) playOn(passed time.Duration) {
	t := &m.travel
	speed := min(m.pace(), fastest)
	now := m.now()
	next := trace.Position{At: min(t.at+time.Duration(float64(passed)*speed), now.At)}
	next.Seq = max(m.history.SeqAt(next.At), t.seq)
	if m.auto {
		next = m.untilStir(next)
	}
	if next.At >= now.At {
		m.paused = false
		m.toNow()
		return
	}
	m.show(next)
}

// pauseClock stops what moves, the world or the past, or lets it go on.
func (m *model) pauseClock() {
	t := &m.travel
	switch {
	case t.inPast() && t.playing:
		m.playPast(false)
		m.say("", "the past stands still: space plays on, end goes back to now", false)
	case t.inPast():
		m.playPast(true)
		m.say("", "the past plays on until now: "+speedText(speeds[m.speed]), false)
	case m.cluster == nil:
		m.firstMoment()
		m.playPast(true)
		m.say("", "the recording, from its beginning", false)
	case m.paused:
		m.paused = false
		m.toNow()
		m.say("", "time goes on", false)
	default:
		m.paused = true
		m.setSpeed()
		m.say("", "time stands still: space lets it go on", false)
	}
}

// refuses says why nothing can be ordered at the moment that is shown, and
// whether that is so. One who steps through the world acts at its latest moment.
func (m *model) refuses() bool {
	switch {
	case m.cluster == nil:
		m.say("", "this is a recording: nothing can be changed in it; B goes on from here with a cluster", true)
		return true
	case m.travel.inPast():
		m.say("", "you look at the past: end goes back to now", true)
		return true
	case m.travel.past && !m.travel.waiting:
		m.toNow()
	}
	return false
}

// pastHints is the footer in the past, where most keys do nothing.
var pastHints = []helpKey{
	{key: ",", text: "back"},
	{key: ".", text: "on"},
	{key: "space", text: "play"},
	{key: "end", text: "now"},
	{key: "B", text: "again from here"},
	{key: "<", text: "slower"},
	{key: ">", text: "faster"},
	{key: "f", text: "find"},
	{key: "home", text: "beginning"},
	{key: "y", text: "branches"},
	{key: "q", text: "quit"},
	{key: "tab", text: "view", keeps: true},
	{key: "?", text: "help", keeps: true},
}

// hints returns the footer for the moment that is shown.
func (m *model) hints() []helpKey {
	if m.travel.inPast() || m.cluster == nil {
		return pastHints
	}
	return hints(m.keysHere())
}

// fillTravel puts into a frame where in time it is.
func (m *model) fillTravel(f *frame) {
	t := &m.travel
	m.keepLine()
	f.past, f.playing, f.stepped, f.recorded = t.past, t.playing, t.stepped, m.cluster == nil
	f.latest, f.remembered = m.now().At, m.first().At
	if !t.past {
		f.latest = m.state.At // the world is ahead of what is drawn, by a moment
	}
	f.auto = m.auto
	if len(m.branches) > 1 || f.recorded {
		f.course = m.branches[m.branch].name
	}
	f.line, f.lineEnd = &m.state, t.line.end
	if t.past {
		f.line = &t.line.state
	}
	if m.view() == m.views.time {
		m.views.time.keepWindow()
	}
}
