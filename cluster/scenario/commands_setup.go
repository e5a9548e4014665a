package scenario

import (
	"slices"
	"strings"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// setupCommands describe the cluster to start. They come before all others.
func setupCommands() []declaration {
	return []declaration{
		{name: "title", syntax: "title TEXT | title.LANG TEXT", help: "name the scenario; title.zh is its Chinese name", setup: func(p *lineParser, s *Script) error {
			return p.translatable(&s.Title, &s.TitleIn)
		}},
		{name: "summary", syntax: "summary TEXT | summary.LANG TEXT", help: "say in one line what people learn from the scenario", setup: func(p *lineParser, s *Script) error {
			return p.translatable(&s.Summary, &s.SummaryIn)
		}},
		{name: "nodes", syntax: "nodes N", help: "start with N nodes, 1 to 99", setup: func(p *lineParser, s *Script) error {
			n, err := p.integer("a number of nodes", 1, cluster.NodesMax)
			s.Nodes = int(n)
			return err
		}},
		{name: "seed", syntax: "seed N", help: "seed all random choices that capsize makes", setup: func(p *lineParser, s *Script) (err error) {
			s.Settings.Seed, err = p.integer("a seed", -1<<62, 1<<62)
			return err
		}},
		{name: "storage", syntax: "storage bolt|memory", help: "keep the nodes' data on disk (bolt) or in memory", setup: func(p *lineParser, s *Script) (err error) {
			s.Settings.Storage, err = p.choice("a storage", cluster.Bolt, cluster.Memory)
			return err
		}},
		{name: "set", syntax: "set KEY VALUE", help: "change a setting: " + strings.Join(cluster.SettingKeys(), ", ") + "; while the cluster runs, only " + orList(cluster.LiveSettings()), setup: parseSet, parse: parseLiveSet},
	}
}

// translatable takes the rest of the line as a text or, with a language behind a dot, as its
// translation.
func (p *lineParser) translatable(text *string, in *trace.Localized) error {
	name, language, translated := strings.Cut(p.words[0].text, ".")
	switch {
	case !translated:
		*text = p.remainder()
	case !cluster.IsName(language):
		return p.failLanguage(name)
	default:
		if *in == nil {
			*in = trace.Localized{}
		}
		(*in)[language] = p.remainder()
	}
	return nil
}

// failLanguage returns the error of a command with something else than a language behind its dot.
func (p *lineParser) failLanguage(name string) error {
	return p.fail(p.words[0], "%q names no language; use %s, or %s.zh", p.words[0].text, name, name)
}

// parseLiveSet parses a setting that changes while the cluster runs.
func parseLiveSet(p *lineParser) (action, error) {
	at := p.pos
	key, err := p.choice("a setting", cluster.SettingKeys()...)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(cluster.LiveSettings(), key) {
		return nil, p.fail(p.words[at], "set %s comes too late: while the cluster runs, only %s can change", key, orList(cluster.LiveSettings()))
	}
	value, err := p.next("a value for " + key)
	if err != nil {
		return nil, err
	}
	settings := p.scope.settings
	if err := cluster.SetSetting(&settings, key, value.text); err != nil {
		return nil, p.fail(value, "%v", err)
	}
	// Under try and expect refused, the cluster refuses it when the command runs.
	switch err := cluster.ValidateSettings(settings); {
	case err == nil:
		p.scope.settings = settings
	case p.words[0].text == "set":
		return nil, p.fail(value, "%v", err)
	}
	return func(r *run) error { return r.c.SetTimeout(key, value.text) }, nil
}

func parseSet(p *lineParser, s *Script) error {
	key, err := p.choice("a setting", cluster.SettingKeys()...)
	if err != nil {
		return err
	}
	value, err := p.next("a value for " + key)
	if err != nil {
		return err
	}
	if err := cluster.SetSetting(&s.Settings, key, value.text); err != nil {
		return p.fail(value, "%v", err)
	}
	return nil
}
