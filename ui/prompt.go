package ui

import (
	"os"
	"path/filepath"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// historyMax is how many typed commands the history keeps.
const historyMax = 200

// prompt is the line for typing commands. It is open while its input has the focus.
type prompt struct {
	input   textinput.Model
	file    string   // keeps the history, "" for none
	history []string // oldest first
	at      int      // index into history, len(history) for a new line
	wrong   string   // the error in the line
	choices []string // completions of the last word
}

func newPrompt(configDir string) prompt {
	p := prompt{input: textinput.New()}
	if configDir != "" {
		p.file = filepath.Join(configDir, "history")
		p.history = readHistory(p.file)
	}
	p.input.CharLimit = 300
	return p
}

// open opens an empty line.
func (p *prompt) open() {
	p.input.Reset()
	p.input.Focus()
	p.at, p.wrong, p.choices = len(p.history), "", nil
}

// recall shows another line of the history.
func (p *prompt) recall(step int) {
	p.at = min(max(p.at+step, 0), len(p.history))
	text := ""
	if p.at < len(p.history) {
		text = p.history[p.at]
	}
	p.input.SetValue(text)
	p.input.CursorEnd()
}

// complete extends the last word by what all its completions share.
func (p *prompt) complete() {
	if len(p.choices) == 0 {
		return
	}
	common := p.choices[0]
	for _, c := range p.choices {
		for !strings.HasPrefix(c, common) {
			common = common[:len(common)-1]
		}
	}
	text := p.input.Value()
	last := text[strings.LastIndexByte(text, ' ')+1:]
	if len(p.choices) == 1 {
		common += " "
	}
	if len(common) > len(last) {
		p.input.SetValue(strings.TrimSuffix(text, last) + common)
		p.input.CursorEnd()
	}
}

// remember adds a line to the history, and returns the command that stores it.
func (p *prompt) remember(text string) tea.Cmd {
	if len(p.history) > 0 && p.history[len(p.history)-1] == text {
		return nil
	}
	p.history = append(p.history, text)
	p.history = p.history[max(0, len(p.history)-historyMax):]
	stored := strings.Join(p.history, "\n") + "\n"
	path := p.file
	return func() tea.Msg {
		// A history that cannot be stored is not worth a message.
		if path != "" && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
			_ = os.WriteFile(path, []byte(stored), 0o600)
		}
		return nil
	}
}

func readHistory(file string) []string {
	data, err := os.ReadFile(file)
	if err != nil || len(data) > 1<<20 {
		return nil
	}
	lines := strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
	return lines[max(0, len(lines)-historyMax):]
}

// openPrompt opens the prompt.
func (m *model) openPrompt() {
	m.prompt.open()
	m.suggest()
}

func (m *model) suggest() {
	m.prompt.choices = m.Engine.Prompt().Complete(m.prompt.input.Value())
}

// handlePromptKey edits the line, completes it, or submits it.
func (m *model) handlePromptKey(msg tea.KeyPressMsg) tea.Cmd {
	p := &m.prompt
	p.wrong = ""
	switch msg.String() {
	case "esc":
		p.input.Blur()
		return nil
	case "up":
		p.recall(-1)
	case "down":
		p.recall(1)
	case "tab":
		p.complete()
	case "enter":
		return m.enterCommand()
	default:
		p.input, _ = p.input.Update(msg)
	}
	m.suggest()
	return nil
}

// enterCommand submits the line; an error stays below it.
func (m *model) enterCommand() tea.Cmd {
	p := &m.prompt
	text := strings.TrimSpace(p.input.Value())
	if text == "" {
		p.input.Blur()
		return nil
	}
	if _, err := m.Engine.Prompt().Parse(text); err != nil {
		p.wrong = err.Error()
		return nil
	}
	p.input.Blur()
	m.submit(text, "ok")
	return p.remember(text)
}
