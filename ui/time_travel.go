package ui

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/queue"
	"capsize/ui/source"
	"capsize/ui/view"
)

// timeTravel is the moment that the screen shows: now, or a moment of the past. The cluster
// is paused while the past is shown.
type timeTravel struct {
	past      bool
	stepped   bool // the cluster advances one event at a time, and seq is its latest significant event
	waiting   bool // for the cluster to reach its next event
	playing   bool // the past plays
	seq       uint64
	at        time.Duration          // from event seq on, but before the next one
	shown     trace.State            // after event seq
	steps     *queue.Mailbox[uint64] // events the cluster has stepped to
	timeline  timelineWindow
	notableAt time.Duration // the latest notable moment played
}

// newTimeTravel shows now.
func newTimeTravel() timeTravel { return timeTravel{steps: &queue.Mailbox[uint64]{}} }

// playbackMax is the highest speed at which the past plays, so people see something.
const playbackMax = 1000

// coarseStep is how far the keys ( and ) go.
const coarseStep = time.Second

// inPast reports whether the moment shown is too far back for commands.
func (t *timeTravel) inPast() bool { return t.past && !t.stepped }

// lateFrameMax is how much real time a late frame catches up on.
const lateFrameMax = 100 * time.Millisecond

// sinceLastFrame returns the real time since the previous frame, at most lateFrameMax.
func (m *model) sinceLastFrame(tick tickMsg) time.Duration {
	passed := pane.FrameEvery
	if !tick.at.IsZero() && !m.lastFrame.at.IsZero() {
		passed = min(max(tick.at.Sub(m.lastFrame.at), 0), lateFrameMax)
	}
	m.lastFrame.at = tick.at
	return passed
}

// isFrozen reports whether nothing on the screen moves.
func (m *model) isFrozen() bool {
	if m.travel.past {
		return !m.travel.playing || m.hand.look.open
	}
	return !m.IsRealTime() && (m.paused || m.hand.look.open || !m.IsLive())
}

// pullState copies the state to show, once a frame; passed is the real time since the last.
func (m *model) pullState(passed time.Duration) {
	if r := m.Recording(); r != nil {
		r.Follow()
	}
	for _, seq := range m.travel.steps.Take() {
		m.stepDone(seq)
	}
	if m.travel.playing && !m.hand.look.open {
		m.advancePlayback(passed)
	}
	if m.travel.past {
		m.travel.shown.CopyTo(&m.state)
		m.state.At = m.travel.at
		return
	}
	m.CopyLatest(&m.state)
}

// showEvent shows the moment just after an event.
func (m *model) showEvent(seq uint64) {
	e, ok := m.History.Event(seq)
	if !ok {
		m.setToast("", m.historyStart(), true)
		return
	}
	m.showMoment(trace.Position{Seq: seq, At: e.At})
	m.setToast("", pane.EventText(&m.travel.shown, &e), false)
}

// showTime shows a moment of the past, or now if that moment has not happened yet.
func (m *model) showTime(at time.Duration) {
	if at >= m.Now().At {
		m.showLive()
		return
	}
	first := m.First()
	at = max(at, first.At)
	m.showMoment(trace.Position{Seq: max(m.History.SeqAt(at), first.Seq), At: at})
}

// showMoment shows a moment of the past.
func (m *model) showMoment(moment trace.Position) {
	t := &m.travel
	if !t.past {
		t.past, t.stepped, t.playing = true, false, false
		m.setSpeed()
	}
	if !m.History.StateAt(moment.Seq, &t.shown) {
		m.setToast("", m.historyStart(), true)
		m.showLive()
		return
	}
	t.seq, t.at, m.dirty = moment.Seq, moment.At, true
	m.views.Time.Scrolled = false
}

// showLive shows now; the clock continues if it ran before.
func (m *model) showLive() {
	t := &m.travel
	t.past, t.stepped, t.playing, m.dirty = false, false, false, true
	m.views.Time.Scrolled = false
	m.setSpeed()
}

// moment returns the moment shown.
func (m *model) moment() trace.Position {
	if m.travel.past {
		return trace.Position{Seq: m.travel.seq, At: m.travel.at}
	}
	return trace.Position{Seq: m.state.Seq, At: m.state.At}
}

// historyStart describes where the history begins.
func (m *model) historyStart() string {
	first := m.First()
	if m.History.Dropped() > 0 {
		return "the history begins at " + trace.ClockMillis(first.At) + ": earlier events were dropped to save memory"
	}
	return "nothing happened before " + trace.ClockMillis(first.At)
}

func (m *model) firstMoment() {
	m.showTime(m.First().At)
	if m.History.Dropped() > 0 {
		m.setToast("", m.historyStart(), false)
		return
	}
	m.setToast("", "the beginning: space plays, end returns to now", false)
}

func (m *model) lastMoment() {
	m.showLive()
	m.setToast("", "back to now", false)
}

// stepBack shows the previous significant event.
func (m *model) stepBack() {
	before, ok := m.History.Prev(m.moment().Seq)
	if !ok || before < m.First().Seq {
		m.setToast("", m.historyStart(), true)
		return
	}
	m.travel.stepped = false
	m.setPlaying(false)
	m.showEvent(before)
}

// stepOn shows the next significant event. At the end of the history, it runs the cluster
// until one happens.
func (m *model) stepOn() {
	t := &m.travel
	if t.waiting {
		return
	}
	m.setPlaying(false)
	if m.rejectIfRealTime() {
		return
	}
	if !t.past && !m.paused {
		m.paused = true
		m.setSpeed()
	}
	shown := m.moment()
	if next, ok := m.History.Next(shown.Seq); ok && next <= m.Now().Seq {
		m.showEvent(next)
		return
	}
	if !m.IsLive() || m.IsRealTime() {
		m.lastMoment()
		return
	}
	// The picture stays until the cluster has got there.
	m.showMoment(shown)
	t.stepped, t.waiting, m.paused = true, true, true
	source, steps := m.Source, t.steps
	if !m.queue.Put(queue.Command{Step: func() { steps.Put(source.StepToNext(shown.Seq)) }}) {
		t.waiting = false
	}
	m.setToast("", "running to the next event…", false)
}

// stepDone shows the event that the cluster has stepped to.
func (m *model) stepDone(seq uint64) {
	t := &m.travel
	t.waiting = false
	if seq == 0 {
		m.showLive()
		m.setToast("", fmt.Sprintf("no event within %s", source.StepWithin), true)
		return
	}
	m.showEvent(seq)
	t.stepped = true
}

func (m *model) secondBack() { m.moveBy(-coarseStep) }
func (m *model) secondOn()   { m.moveBy(coarseStep) }

// moveBy moves by a time. Beyond now, it advances the clock.
func (m *model) moveBy(d time.Duration) {
	m.setPlaying(false)
	if m.IsLive() && !m.travel.past && m.paused && d > 0 {
		clock := m.Engine
		m.queue.Put(queue.Command{Step: func() { _ = clock.Advance(d) }})
		m.setToast("", "the clock advances by "+d.String(), false)
		return
	}
	m.travel.stepped = false
	at := m.moment().At + d
	atNow, atFirst := at >= m.Now().At, at < m.First().At
	m.showTime(at)
	switch {
	case atNow:
		m.setToast("", "back to now", false)
	case !m.travel.past: // the history does not have the moment, and showMoment has said so
	case atFirst:
		m.setToast("", m.historyStart(), false)
	default:
		m.setToast("", "at "+trace.ClockMillis(at)+": space plays, end returns to now", false)
	}
}

// setPlaying starts or stops the playback of the past.
func (m *model) setPlaying(on bool) { m.travel.playing = on && m.travel.past }

// advancePlayback plays the past for a real time. At its end the cluster continues live.
func (m *model) advancePlayback(passed time.Duration) {
	t := &m.travel
	speed := min(m.pace(), playbackMax)
	now := m.Now()
	next := trace.Position{At: min(t.at+time.Duration(float64(passed)*speed), now.At)}
	next.Seq = max(m.History.SeqAt(next.At), t.seq)
	if m.auto {
		next = m.nextNotable(next)
	}
	if next.At >= now.At {
		m.paused = false
		m.showLive()
		return
	}
	m.showMoment(next)
}

// pauseClock pauses or runs what moves: the cluster, or the playback of the past.
func (m *model) pauseClock() {
	t := &m.travel
	switch {
	case t.inPast() && t.playing:
		m.setPlaying(false)
		m.setToast("", "paused in the past: space plays, end returns to now", false)
	case t.inPast():
		m.setPlaying(true)
		m.setToast("", "playing up to now: "+pane.SpeedText(speeds[m.speed]), false)
	case !m.IsLive():
		m.firstMoment()
		m.setPlaying(true)
		m.setToast("", "playing the recording from its beginning", false)
	case m.rejectIfRealTime():
	case m.paused:
		m.paused = false
		m.showLive()
		m.setToast("", "running", false)
	default:
		m.paused = true
		m.setSpeed()
		m.setToast("", "paused: space to resume", false)
	}
}

// rejectIfReadOnly reports whether no command can run at the moment shown, and says why.
// While stepping through events, commands run at the latest one.
func (m *model) rejectIfReadOnly() bool {
	switch {
	case m.Recording() != nil:
		m.setToast("", "recordings are read-only; B branches from here into a live cluster", true)
		return true
	case !m.IsLive():
		m.setToast("", "this branch has ended; B branches from here into a live cluster", true)
		return true
	case m.travel.inPast():
		m.setToast("", "the past is read-only: end returns to now", true)
		return true
	case m.travel.past && !m.travel.waiting:
		m.showLive()
	}
	return false
}

// pastHints is the footer in the past, where most keys do nothing.
var pastHints = []pane.HelpKey{
	{Key: ",", Text: "back"},
	{Key: ".", Text: "forward"},
	{Key: "space", Text: "play"},
	{Key: "end", Text: "now"},
	{Key: "B", Text: "branch"},
	{Key: "<", Text: "slower"},
	{Key: ">", Text: "faster"},
	{Key: "f", Text: "find"},
	{Key: "e", Text: "look into"},
	{Key: "home", Text: "beginning"},
	{Key: "y", Text: "branches"},
	{Key: "q", Text: "quit"},
	{Key: "tab", Text: "view", Pinned: true},
	{Key: "?", Text: "help", Pinned: true},
}

// hints returns the footer for the moment shown.
func (m *model) hints() []pane.HelpKey {
	switch {
	case m.comparison != nil:
		return view.CompareHints
	case m.hand.look.open:
		return view.MessageHints
	}
	if m.travel.inPast() || !m.IsLive() {
		return pastHints
	}
	return keymap.Hints(m.offered())
}

// fillTime fills the frame's place in time.
func (m *model) fillTime(f *pane.Frame) {
	t := &m.travel
	m.updateTimeline()
	f.Past, f.Playing, f.Stepping, f.Recorded = t.past, t.playing, t.stepped, !m.IsLive()
	f.Latest, f.Earliest = m.Now().At, m.First().At
	if !t.past {
		f.Latest = m.state.At // the cluster is a moment ahead of the picture
	}
	f.AutoSpeed, f.Exact, f.Processes = m.auto, m.IsExact(), m.IsRealTime()
	if len(m.branches) > 1 || f.Recorded {
		f.Branch = m.branches[m.branch].name
	}
	f.TimelineState, f.TimelineEnd = &m.state, t.timeline.end
	if t.past {
		f.TimelineState = &t.timeline.state
	}
	if m.view() == m.views.Time {
		m.views.Time.UpdateWindow()
	}
}

// timelineWindow is the stretch of time that the timeline of the stage shows.
type timelineWindow struct {
	end   time.Duration // at its right end
	state trace.State   // at its right end, while the past is shown
	known bool          // state is up to date
}

// updateTimeline keeps the moment shown on the timeline. It moves the timeline only if it
// must, because a drag needs it to stay.
func (m *model) updateTimeline() {
	t := &m.travel
	now := m.Now()
	if !t.past || m.width == 0 {
		t.timeline.end, t.timeline.known = m.state.At, false
		return
	}
	_, w := pane.TimelineCells(pane.LayoutFor(m.width, m.height, len(m.state.Nodes)).Time)
	span := time.Duration(max(w, 1)) * pane.TimelineCell
	end := t.timeline.end
	switch {
	case !t.timeline.known:
		end = now.At
	case t.at < end-span:
		end = t.at + span - span/8
	case t.at > end:
		end = t.at + span/8
	}
	end = min(end, now.At)
	if end == t.timeline.end && t.timeline.known {
		return
	}
	t.timeline.end, t.timeline.known = end, true
	m.History.StateAt(m.History.SeqAt(end), &t.timeline.state)
}
