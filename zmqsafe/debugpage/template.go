package debugpage

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"css": func() template.CSS { return template.CSS(pageCSS) },
	"js":  func() template.JS { return template.JS(pageJS) },

	"short": short, "count": count, "number": number[int], "messages": number[uint64],
}).Parse(pageHTML))

// securityPolicy allows the page its own style and script, and to fetch itself: what
// a peer or a path might slip into it does nothing.
var securityPolicy = "default-src 'none'; style-src " + hash(pageCSS) + "; script-src " + hash(pageJS) +
	"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func render(w io.Writer, p page) error { return pageTemplate.Execute(w, p) }
