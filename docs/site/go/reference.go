// Writes the reference of a Go package as a page of the site, in the order of pkg.go.dev:
//
//	go run reference.go DIR IMPORT_PATH >PAGE
//
// It fails on an exported name without a comment.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/printer"
	"go/scanner"
	"go/token"
	"html"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fatal("usage: reference DIR IMPORT_PATH")
	}
	p := page{files: token.NewFileSet(), imports: map[string]string{}, types: map[string]bool{}}
	if err := p.load(os.Args[1], os.Args[2]); err != nil {
		fatal(err)
	}
	p.write()
	if len(p.undocumented) > 0 {
		fatal(os.Args[2] + ": no comment: " + strings.Join(p.undocumented, ", "))
	}
	os.Stdout.Write(p.out.Bytes())
}

func fatal(message any) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}

type page struct {
	files        *token.FileSet
	pkg          *doc.Package
	imports      map[string]string // by the names that the package uses
	types        map[string]bool
	undocumented []string
	out          bytes.Buffer
}

// load parses a folder, with the tests, which have the examples.
func (p *page) load(dir, importPath string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	var parsed []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(p.files, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			name := path.Base(imported)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			if imported != "C" {
				p.imports[name] = imported
			}
		}
		parsed = append(parsed, file)
	}
	p.pkg, err = doc.NewFromFiles(p.files, parsed, importPath)
	return err
}

// address returns where a name of another package is described: of the package above this one in the site, else on
// pkg.go.dev.
func (p *page) address(importPath, name string) string {
	if path.Dir(p.pkg.ImportPath) == importPath {
		return "index.html#" + name
	}
	return "https://pkg.go.dev/" + importPath + "#" + name
}

func (p *page) write() {
	for _, t := range p.pkg.Types {
		p.types[t.Name] = true
	}
	fmt.Fprintf(&p.out, "# Package %s\n\n`import %q`\n\n", p.pkg.Name, p.pkg.ImportPath)
	p.comment("package "+p.pkg.Name, p.pkg.Doc)
	p.examples(p.pkg.Examples)
	p.index()

	p.values("Constants", "##", p.pkg.Consts)
	p.values("Variables", "##", p.pkg.Vars)
	p.functions("Functions", p.pkg.Funcs)
	p.heading("##", "Types", "types")
	for _, t := range p.pkg.Types {
		p.heading("###", "type "+t.Name, t.Name)
		p.signature(t.Decl)
		p.comment(t.Name, t.Doc)
		p.examples(t.Examples)
		p.values("", "", t.Consts)
		p.values("", "", t.Vars)
		p.functions("", t.Funcs)
		p.functions("", t.Methods)
	}
}

func (p *page) heading(level, text, anchor string) {
	fmt.Fprintf(&p.out, "%s %s {#%s}\n\n", level, strings.ReplaceAll(text, "*", `\*`), anchor)
}

// index lists functions and types with their methods.
func (p *page) index() {
	p.heading("##", "Index", "index")
	line := func(indent, text, anchor string) {
		fmt.Fprintf(&p.out, "%s- [%s](#%s)\n", indent, strings.NewReplacer("*", `\*`, "[", `\[`, "]", `\]`).Replace(text), anchor)
	}
	functions := func(indent string, list []*doc.Func) {
		for _, f := range list {
			line(indent, p.oneLine(f), anchor(f))
		}
	}
	functions("", p.pkg.Funcs)
	for _, t := range p.pkg.Types {
		line("", "type "+t.Name, t.Name)
		functions("  ", t.Funcs)
		functions("  ", t.Methods)
	}
	p.out.WriteByte('\n')
}

func (p *page) values(title, level string, list []*doc.Value) {
	if title != "" && len(list) > 0 {
		p.heading(level, title, strings.ToLower(title))
	}
	for _, value := range list {
		for _, name := range value.Names {
			if ast.IsExported(name) {
				fmt.Fprintf(&p.out, "<a id=\"%s\"></a>", name)
			}
		}
		p.out.WriteString("\n\n")
		p.signature(value.Decl)
		p.comment("", value.Doc)
		for _, spec := range value.Decl.Specs {
			spec := spec.(*ast.ValueSpec)
			if value.Doc == "" && spec.Doc == nil && spec.Comment == nil {
				p.missing(spec.Names[0].Name)
			}
		}
	}
}

func (p *page) functions(title string, list []*doc.Func) {
	if title != "" && len(list) > 0 {
		p.heading("##", title, strings.ToLower(title))
	}
	for _, f := range list {
		name := "func " + f.Name
		if f.Recv != "" {
			name = fmt.Sprintf("func (%s) %s", f.Recv, f.Name)
		}
		p.heading("####", name, anchor(f))
		p.signature(f.Decl)
		p.comment(anchor(f), f.Doc)
		p.examples(f.Examples)
	}
}

func anchor(f *doc.Func) string {
	if f.Recv == "" {
		return f.Name
	}
	receiver, _, _ := strings.Cut(strings.TrimPrefix(f.Recv, "*"), "[")
	return receiver + "." + f.Name
}

// comment writes the comment of a name, and reports a missing one unless the name is empty.
func (p *page) comment(name, text string) {
	if text == "" {
		if name != "" {
			p.missing(name)
		}
		return
	}
	printer := p.pkg.Printer()
	printer.HeadingLevel = 4
	printer.DocLinkURL = func(link *comment.DocLink) string {
		url := link.DefaultURL("")
		if link.ImportPath == "" {
			return url
		}
		_, name, _ := strings.Cut(url, "#")
		return p.address(link.ImportPath, name)
	}
	p.out.Write(printer.Markdown(p.pkg.Parser().Parse(text)))
	p.out.WriteByte('\n')
}

func (p *page) missing(name string) {
	if !slices.Contains(p.undocumented, name) {
		p.undocumented = append(p.undocumented, name)
	}
}

func (p *page) examples(list []*doc.Example) {
	for _, example := range list {
		title := "Example"
		if example.Suffix != "" {
			title += " (" + strings.ReplaceAll(example.Suffix, "_", " ") + ")"
		}
		code := p.print(&printer.CommentedNode{Node: example.Code, Comments: example.Comments})
		if _, block := example.Code.(*ast.BlockStmt); block {
			code = strings.Trim(code, "{}\n")
			code = strings.ReplaceAll("\n"+code, "\n\t", "\n")[1:]
		}
		fmt.Fprintf(&p.out, "<details><summary>%s</summary>\n\n```go\n%s\n```\n\n</details>\n\n", title, code)
	}
}

func (p *page) print(node any) string {
	var out strings.Builder
	config := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 4}
	if err := config.Fprint(&out, p.files, node); err != nil {
		fatal(err)
	}
	return out.String()
}

func (p *page) oneLine(f *doc.Func) string {
	declaration := *f.Decl
	declaration.Doc, declaration.Body = nil, nil
	return strings.Join(strings.Fields(p.print(&declaration)), " ")
}

// signature writes a declaration whose types lead to their descriptions.
func (p *page) signature(declaration ast.Decl) {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		d.Doc, d.Body = nil, nil
	case *ast.GenDecl:
		d.Doc = nil
	}
	source := []byte(p.print(declaration))
	fmt.Fprintf(&p.out, "<pre class=\"signature\">%s</pre>\n\n", p.linked(source))
}

func (p *page) linked(source []byte) string {
	type lexeme struct {
		token    token.Token
		text     string
		from, to int
	}
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(source))
	var scan scanner.Scanner
	scan.Init(file, source, nil, scanner.ScanComments)
	var list []lexeme
	for {
		pos, kind, text := scan.Scan()
		if kind == token.EOF {
			break
		}
		if from := file.Offset(pos); kind != token.SEMICOLON || text != "\n" {
			if text == "" {
				text = kind.String()
			}
			list = append(list, lexeme{kind, text, from, from + len(text)})
		}
	}
	var out strings.Builder
	end := 0
	for i, each := range list {
		out.WriteString(html.EscapeString(string(source[end:each.from])))
		end = each.to
		text := html.EscapeString(each.text)
		after := func(kind token.Token) bool { return i > 0 && list[i-1].token == kind }
		switch {
		case each.token == token.COMMENT:
			text = "<i>" + text + "</i>"
		case each.token.IsKeyword():
			text = "<b>" + text + "</b>"
		case each.token != token.IDENT:
		case i > 1 && after(token.PERIOD) && p.imports[list[i-2].text] != "":
			text = link(p.address(p.imports[list[i-2].text], each.text), text)
		case p.types[each.text] && !after(token.PERIOD) && !after(token.TYPE):
			text = link("#"+each.text, text)
		}
		out.WriteString(text)
	}
	out.WriteString(html.EscapeString(string(source[end:])))
	return out.String()
}

func link(target, text string) string {
	return fmt.Sprintf("<a href=\"%s\">%s</a>", html.EscapeString(target), text)
}
