package ui

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
	"capsize/ui/pane"
	"capsize/ui/source"
)

// branchHere branches from the moment shown.
func (s *stage) branchHere() {
	s.t.Helper()
	msg, ok := s.startBranch()().(branchedMsg)
	if !ok || msg.err != nil {
		s.t.Fatalf("no branch: %v", msg.err)
	}
	s.Update(msg)
	s.pool.Tasks.Wait()
	s.t.Cleanup(func() {
		if c := s.liveCluster(); c != nil {
			if err := c.Close(); err != nil {
				s.t.Errorf("Close: %v", err)
			}
		}
	})
	s.paused = true
	s.setSpeed()
	s.tick()
}

// hasEnded reports whether an engine has ended.
func hasEnded(e engine.Engine) bool {
	select {
	case <-e.Done():
		return true
	default:
		return false
	}
}

func TestBranchKeepsTheOldFuture(t *testing.T) {
	s := newStage(t, 3)
	s.press("i")
	s.until("1 everywhere", everyValue(1))
	before := s.moment()
	s.press("I")
	s.until("11 everywhere", everyValue(11))
	old := s.Engine
	s.showMoment(before)
	s.branchHere()
	if s.Engine == old || !hasEnded(old) {
		t.Fatal("the old cluster still runs")
	}
	s.until("a leader", func(st *trace.State) bool { return st.LeaderNode() != nil && st.HasLeader() })
	s.press("i")
	s.until("2 everywhere", everyValue(2))
	s.wants("branch 2")

	s.press("x")
	s.wants("cannot save a branch")
	s.press("home")
	if s.moment().At != before.At || len(s.state.Nodes) != 3 {
		t.Errorf("the branch begins at %s with %d nodes", s.moment().At, len(s.state.Nodes))
	}
	s.press("end")

	s.press("y", "1")
	s.wants("branch 1")
	if leader := s.state.LeaderNode(); leader == nil || leader.Value != 11 {
		t.Errorf("the old future ends with %+v", leader)
	}
	s.press("i", "k")
	s.wants("this branch has ended")
	s.press(",")
	s.wants("past")
	at := s.moment().At
	s.press("y", "2")
	if s.moment().At != at || !s.IsLive() {
		t.Errorf("from %s of the other one it is shown at %s", at, s.moment().At)
	}
	s.showTime(before.At)
	s.press("y", "1")
	if s.moment().At != before.At || s.IsLive() {
		t.Errorf("from %s of the other one it is shown at %s", before.At, s.moment().At)
	}
	s.press("y", "2", "end")
	if leader := s.state.LeaderNode(); leader == nil || leader.Value != 2 || !s.IsLive() {
		t.Errorf("the branch has %+v", leader)
	}
	s.press("i")
	s.until("3 everywhere", everyValue(3))
}

// compareHere presses d in the list of branches, and waits for the comparison.
func (s *stage) compareHere() {
	s.t.Helper()
	_, cmd := s.Update(keyPress("d"))
	if cmd == nil {
		s.t.Fatalf("nothing is compared:\n%s", s.screen())
	}
	s.Update(cmd())
	s.tick()
}

func TestBranchesAreComparedSideBySide(t *testing.T) {
	s := newStage(t, 3)
	s.press("y", "d")
	s.wants("there is only one branch")
	s.press("i")
	s.until("1 everywhere", everyValue(1))
	before := s.moment()
	s.press("I")
	s.until("11 everywhere", everyValue(11))
	s.showMoment(before)
	s.branchHere()
	s.until("a leader", func(st *trace.State) bool { return st.LeaderNode() != nil && st.HasLeader() })
	s.press("y")
	s.wants("d: compare")
	s.compareHere()
	s.wants("branch 1 and branch 2 part at " + trace.ClockMillis(before.At))
	s.wants("becomes leader")
	s.wants("value   11")
	s.wants("enter show where they part")
	s.press("down", "end", "k")
	if s.state.LeaderNode() == nil || s.liveCluster() == nil {
		t.Error("a key reaches the cluster below a comparison")
	}
	s.press("esc")
	if strings.Contains(s.screen(), "part at") {
		t.Errorf("it stays after esc:\n%s", s.screen())
	}

	s.press("y", "up") // without a parent: with the branch shown
	s.compareHere()
	s.wants("branch 1 and branch 2 part at")
	s.press("enter")
	s.wants("here branch 1 and branch 2 part")
	if at := s.moment().At; s.branch != 0 || at != before.At {
		t.Errorf("enter shows branch %d at %s, want the first one at %s", s.branch+1, at, before.At)
	}
	s.press("y") // the branch shown: with its newest child
	s.compareHere()
	s.wants("branch 1 and branch 2 part at")
}

func TestLaterComparisonTakesThePlaceOfAnother(t *testing.T) {
	s := newStage(t, 3)
	s.branchHere()
	s.press("y")
	_, first := s.Update(keyPress("d"))
	s.press("y")
	_, second := s.Update(keyPress("d"))
	if s.Update(first()); s.comparison != nil {
		t.Error("the first one is shown")
	}
	if s.Update(second()); s.comparison == nil {
		t.Error("the second one is not shown")
	}
}

// TestReplayShowsTheLivePictures records a run, and compares moments of both.
func TestReplayShowsTheLivePictures(t *testing.T) {
	s := newStage(t, 3)
	name := filepath.Join(t.TempDir(), "run.trace")
	w, err := recording.Create(name, recording.Header{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.Engine.AddSink(w)
	start := s.Now().Seq
	s.press("i", "l")
	s.pass(time.Second)
	s.press("k")
	s.until("nobody leads", func(st *trace.State) bool { return st.LeaderNode() == nil })
	s.until("one leads", func(st *trace.State) bool { return st.LeaderNode() != nil })
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	end := s.Now()
	source, err := source.OpenRecording(name, source.HistoryMB, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &stage{model: newScreen(Options{Speed: 1, Look: pane.Look{Theme: "dark"}}), t: t}
	t.Cleanup(func() { r.queue.Close(); source.Close() })
	r.replay(source, "run.trace")
	r.Update(tea.WindowSizeMsg{Width: 120, Height: 36})
	r.wants("run.trace")
	if !r.travel.playing {
		t.Error("it does not play")
	}
	r.setPlaying(false)
	compared := 0
	for seq, ok := s.History.Next(start + 60); ok && seq < end.Seq; seq, ok = s.History.Next(seq + 15) {
		var live, replayed trace.State
		if !s.History.StateAt(seq, &live) || !r.History.StateAt(seq, &replayed) {
			t.Fatalf("no state at event %d", seq)
		}
		// What was told before the recording began is not in it.
		live.Story, live.LeaderTerms, replayed.Story, replayed.LeaderTerms = nil, nil, nil, nil
		live.Traffic, replayed.Traffic = trace.Traffic{}, trace.Traffic{}
		sameNodes(t, &replayed, &live)
		compared++
	}
	if compared < 20 {
		t.Errorf("only %d moments were compared", compared)
	}
	r.press("end")
	r.wants("❚❚ end")
	r.press("i")
	r.wants("recordings are read-only")
	for range r.views.All {
		r.press("tab")
	}
	r.press("space", ",", ".", "(", ")", "home", "x", "?", "esc", "y", "esc")
}

// recordTenIncrements records ten increments in a file.
func recordTenIncrements(s *stage, name string) {
	s.t.Helper()
	w, err := recording.Create(name, recording.Header{Seed: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Engine.AddSink(w)
	s.press("I")
	s.until("10 everywhere", everyValue(10))
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// replayAtEnd shows the end of a recording.
func replayAtEnd(t *testing.T, name string) *stage {
	t.Helper()
	source, err := source.OpenRecording(name, source.HistoryMB, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &stage{model: newScreen(Options{Speed: 1, Look: pane.Look{Theme: "dark"}}), t: t}
	t.Cleanup(func() { r.queue.Close(); source.Close() })
	r.replay(source, filepath.Base(name))
	r.Update(tea.WindowSizeMsg{Width: 120, Height: 36})
	r.press("end")
	return r
}

func TestRecordingCanBeBranched(t *testing.T) {
	s := newStage(t, 3)
	name := filepath.Join(t.TempDir(), "run.trace.gz")
	recordTenIncrements(s, name)
	r := replayAtEnd(t, name)
	r.branchHere()
	r.until("a leader", func(st *trace.State) bool { return st.LeaderNode() != nil && st.HasLeader() })
	r.press("i")
	r.until("11 everywhere", everyValue(11))
}

func TestGrowingRecordingIsShown(t *testing.T) {
	s := newStage(t, 3)
	dir := t.TempDir()
	whole, growing := filepath.Join(dir, "whole.trace"), filepath.Join(dir, "growing.trace")
	recordTenIncrements(s, whole)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(growing, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { // the reader waits in virtual time
		r := replayAtEnd(t, growing)
		half := r.Now()
		if everyValue(10)(&r.state) {
			t.Fatal("all of it is there already")
		}
		if err := os.WriteFile(growing, text, 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		r.tick()
		if !everyValue(10)(&r.state) || r.Now().Seq <= half.Seq {
			t.Errorf("it stays at %v", half)
		}
	})
}

func TestContradictedVerdictsAreShown(t *testing.T) {
	dir := t.TempDir()
	honest, lying := filepath.Join(dir, "honest.trace"), filepath.Join(dir, "lying.trace")
	w, err := recording.Create(honest, recording.Header{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	c, err := cluster.Open(cluster.Config{Nodes: 3, Settings: settings, Record: w})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	op := trace.Op{ID: 1 << 40, Client: "c9", Kind: trace.EntryRead}
	c.Trace().Emit(trace.Event{Kind: trace.KindInvoked, Op: &op})
	told := op
	told.Outcome, told.Value = trace.OK, 7 // nobody has added anything
	c.Trace().Emit(trace.Event{Kind: trace.KindReturned, Op: &told})
	c.AwaitVerdicts()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(honest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lying, bytes.ReplaceAll(text, []byte(`"violated"`), []byte(`"ok"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{honest, lying} {
		source, err := source.OpenRecording(name, source.HistoryMB, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := &stage{model: newScreen(Options{Speed: 1, Look: pane.Look{Theme: "dark"}}), t: t}
		t.Cleanup(func() { r.queue.Close(); source.Close() })
		r.replay(source, "run.trace")
		r.Update(tea.WindowSizeMsg{Width: 120, Height: 36})
		if name == lying {
			r.wants("this recording contradicts itself")
		}
		r.press("end")
		r.wants("violated: linearizable")
		r.press("esc", "home")
		r.wants("✗ linearizable")
	}
}

// leaderCrash is a scenario to put on stage.
func leaderCrash(t *testing.T) *scenario.Script {
	t.Helper()
	script, err := scenario.Load("leader-crash")
	if err != nil {
		t.Fatal(err)
	}
	return script
}

func TestNoClusterIsLeftBehindWhenTheScreenEnds(t *testing.T) {
	s := newStage(t, 3)
	begin, late := s.startBranch(), s.openScenario(leaderCrash(t))
	msg := begin().(branchedMsg)
	if msg.err != nil {
		t.Fatal(msg.err)
	}
	if err := s.closeAllBut(s.Engine); err != nil {
		t.Error(err)
	}
	if !hasEnded(msg.branch.Engine) {
		t.Error("a branch that was never shown still runs")
	}
	if hasEnded(s.Engine) {
		t.Error("the cluster that is shown has ended too")
	}
	if msg := late().(openedMsg); msg.err == nil {
		t.Error("a scenario starts after the screen has ended")
	}
}

func TestShownClusterEndsWithTheScreen(t *testing.T) {
	s := newStage(t, 3)
	before := s.Engine
	s.Update(s.openScenario(leaderCrash(t))())
	if s.Engine == before {
		t.Fatal("the scenario is not shown")
	}
	if err := s.closeAllBut(nil); err != nil {
		t.Error(err)
	}
	for _, e := range []engine.Engine{before, s.Engine} {
		if !hasEnded(e) {
			t.Error("a cluster still runs")
		}
	}
}

// exactEngine is an engine that calls itself exact.
type exactEngine struct{ *engine.Native }

func (exactEngine) Mode() engine.Mode { return engine.ExactMode }

func (e exactEngine) Branch(at trace.Position) (engine.Engine, error) {
	b, err := e.Native.Branch(at)
	if err != nil {
		return nil, err
	}
	b.Stage().RequestSpeed(100) // as a scenario did in the past
	return exactEngine{b.(*engine.Native)}, nil
}

// A branch that repeats what came next waits for a command or for space.
func TestExactBranchWaits(t *testing.T) {
	s := newStage(t, 3)
	s.Engine = exactEngine{s.native()}
	s.wants("exact 1")
	moment, speed := s.moment(), s.speed
	begin := s.startBranch()
	s.wants("going back to this moment…")
	s.Update(begin())
	s.pool.Tasks.Wait()
	t.Cleanup(func() { _ = s.Engine.Close() })
	s.wants("now on branch 2: space repeats what came next, a command changes it")
	if !s.paused || s.Engine.Speed() != 0 || s.Engine.Now() != moment.At || s.speed != speed {
		t.Errorf("it is paused: %t, and runs at %g, at %s instead of %s", s.paused, s.Engine.Speed(), s.Engine.Now(), moment.At)
	}
	s.press("space")
	if s.Engine.Speed() != 1 {
		t.Errorf("space makes it run at %g", s.Engine.Speed())
	}
}
