package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/view"
)

// player plays a trace into a recorder. It advances the audience's time picture by
// picture, and virtual time along with it, at the speed that the trace asks for.
type player struct {
	Options
	theme  *style.Theme
	glyphs *style.Glyphs
	next   func() (*trace.Event, bool)
	end    trace.Position // where the trace ends
	out    recorder
	ctx    context.Context // cancels it

	state trace.State
	event *trace.Event  // the next one, nil at the end
	now   time.Duration // virtual time
	speed float64       // virtual seconds per second of the audience

	audienceTimes

	caption   string
	markedSeq uint64 // the last event with its markers written
}

// audienceTimes are times of the audience: they count from the start of the recording.
type audienceTimes struct {
	at         time.Duration // now
	readBy     time.Duration // when the audience has read the caption
	notBefore  time.Duration // when the next command may run
	lastChange time.Duration // when something new was last shown
	endAt      time.Duration // when the recording ends; valid after the last event
}

// recordMax limits the length of a recording: a trace may ask for any speed.
const recordMax = 2 * time.Hour

// run plays the trace to its end.
func (p *player) run() error {
	p.skipToStart()
	for picture := int64(0); ; picture++ {
		p.advance(time.Duration(picture) * time.Second / time.Duration(p.FPS))
		if err := cmp.Or(p.ctx.Err(), p.draw()); err != nil {
			return err
		}
		if p.event == nil && p.at >= p.endAt {
			return p.out.end(p.at)
		}
		if p.at > recordMax {
			return errors.Join(p.out.end(p.at), fmt.Errorf("the recording was cut off at %s; shorten it with --idle-limit or --speed", recordMax))
		}
	}
}

// skipToStart skips to where there is something to see: the first leader or, if that
// comes sooner, the first command.
func (p *player) skipToStart() {
	for p.nextEvent(); p.event != nil && p.event.Kind != trace.KindCommand; {
		leads := p.event.Kind == trace.KindRole && p.event.Role == trace.Leader
		p.apply()
		if leads {
			break
		}
	}
	p.now, p.markedSeq = p.state.At, p.state.Seq
}

// nextEvent reads the next event. After the last one it adds an empty one, if the trace
// continues.
func (p *player) nextEvent() {
	p.event, _ = p.next()
	if p.event == nil && p.state.At < p.end.At {
		p.event = &trace.Event{Seq: p.state.Seq, At: p.end.At}
	}
	if p.event == nil {
		p.endAt = max(p.readBy, p.at+endPause)
	}
}

// advance advances the audience's time to to, applying the events that are due.
func (p *player) advance(to time.Duration) {
	for p.event != nil {
		due := p.due()
		if due > to {
			break
		}
		p.at = max(p.at, due)
		p.now = max(p.now, p.event.At)
		p.apply()
	}
	// Virtual time stops at a command that waits, and after the last event.
	if p.event != nil && p.at < to {
		p.now = min(p.now+time.Duration(float64(to-p.at)*p.speed), p.event.At)
	}
	p.at = max(p.at, to)
}

// due returns when the next event is due, in the audience's time.
func (p *player) due() time.Duration {
	if p.isSkipping() {
		return p.at
	}
	due := p.at + time.Duration(max(float64(p.event.At-p.now)/p.speed, 0))
	if p.event.Kind == trace.KindCommand || p.event.Kind == trace.KindQuestion {
		due = max(due, p.notBefore)
	}
	if p.IdleLimit > 0 {
		due = min(due, p.lastChange+p.IdleLimit)
	}
	return due
}

// isSkipping reports whether there has been nothing new for longer than IdleLimit: events
// are due at once until there is.
func (p *player) isSkipping() bool { return p.IdleLimit > 0 && p.at-p.lastChange >= p.IdleLimit }

// apply applies the next event.
func (p *player) apply() {
	e := p.event
	p.state.Apply(e)
	last := len(p.state.Story) - 1
	switch {
	case e.Kind == trace.KindCommand:
		p.applyCommand(scenario.SplitCommand(e.Text))
	case e.Kind == trace.KindInvoked, e.Kind == trace.KindReturned, last >= 0 && p.state.Story[last].Seq == e.Seq:
		p.lastChange = p.at
	}
	if caption := pane.ToRead(&p.state, p.Lang); caption != p.caption {
		p.caption, p.readBy = caption, p.at+pane.ReadingTime(caption)
	}
	if q := e.Question; q != nil && (q.Waits() || q.Judged) {
		p.notBefore = max(p.readBy, p.at+pane.MinStepTime)
	}
	p.nextEvent()
}

// applyCommand carries out the commands that control playback: step and speed.
func (p *player) applyCommand(command scenario.Command) {
	if command.IsStep() {
		p.notBefore = max(p.readBy, p.at+pane.MinStepTime)
	}
	if speed, ok := command.Speed(); ok && (speed == scenario.SpeedAuto || speed >= pane.PictureSpeedMin) {
		p.speed = displaySpeed(speed)
	}
}

// draw hands the recorder a picture of this moment, and its markers.
func (p *player) draw() error {
	f := &pane.Frame{
		State: &p.state, Width: p.Width, Height: p.Height, Theme: p.theme, Glyphs: p.glyphs,
		Playback:     pane.Playback{Now: p.now, Speed: p.speed, Paused: p.event == nil || p.event.At <= p.now && p.at < p.notBefore},
		NodeCursor:   pane.NodeCursor{FollowsLeader: true},
		Presentation: pane.Presentation{Presenting: true, ScenarioTitle: p.Title, Language: p.Lang},
	}
	if leader := p.state.LeaderNode(); leader != nil {
		f.Cursor = leader.ID
	}
	f.Move(!p.Still)
	canvas, _ := view.Paint(f, view.ForAudience(&p.state))
	if err := p.out.picture(p.at, canvas, p.theme); err != nil {
		return err
	}
	for _, label := range markers(&p.state, p.markedSeq, p.Lang) {
		if err := p.out.mark(p.at, label); err != nil {
			return err
		}
	}
	p.markedSeq = p.state.Seq
	return nil
}
