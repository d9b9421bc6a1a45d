# Writes the manual pages of section 3 from the comments of torii.h: libtorii(3) from its main comment,
# and a page for each `== Title ==`, all into the directory DIR:
#
#     awk -v dir=DIR -v version=VERSION -v date=YYYY-MM-DD -f manual.awk torii.h

function literal(s,    pieces, count, i) {
  # Not by gsub: in the replacement, a backslash means something else in each awk.
  count = split(s, pieces, /\\/)
  s = pieces[1]
  for (i = 2; i <= count; i++) s = s "\\e" pieces[i]
  gsub(/-/, "\\-", s)
  return s ~ /^[.']/ ? "\\&" s : s
}

# `names` in italics, what the header defines in bold.
function prose(s,    before, name) {
  s = literal(s)
  gsub(/(torii_[a-z0-9_]+(\(\))?|TORII_[A-Z0-9_]+)/, "\\fB&\\fR", s)
  while (match(s, /`[^`]+`/)) {
    before = substr(s, 1, RSTART - 1)
    name = substr(s, RSTART + 1, RLENGTH - 2)
    gsub(/\\f[BR]/, "", name)
    s = before "\\fI" name "\\fR" substr(s, RSTART + RLENGTH)
  }
  return s
}

# Adds a line to a page.
function put(page, line) {
  text[page] = text[page] line "\n"
}

# Adds a comment to a page.
function write(page, comment,    lines, count, i, line, code, list, fresh, pending) {
  count = split(comment, lines, "\n")
  fresh = 1
  for (i = 1; i <= count; i++) {
    line = lines[i]
    if (code && line !~ /^(    |$)/) {
      put(page, ".EE\n.RE")
      code = 0
    }
    if (code) {
      put(page, literal(substr(line, 5)))
      continue
    }
    if (line == "") {
      if (!fresh) pending = 1
      continue
    }
    if (line ~ /^    /) {
      put(page, ".PP\n.RS 4\n.EX\n" literal(substr(line, 5)))
      code = 1
      pending = fresh = 0
      continue
    }
    if (line ~ /^- /) {
      put(page, ".IP \\(bu 2")
      list = 1
      line = substr(line, 3)
    } else if (list && line ~ /^  /) {
      line = substr(line, 3)
    } else {
      if (pending || list) put(page, ".PP")
      else if (line ~ /^(Blocks |(Ownership|Errors|Since): )/) put(page, ".br")
      list = 0
    }
    pending = fresh = 0
    put(page, prose(line))
  }
  if (code) put(page, ".EE\n.RE")
}

# The page of a section: named after the type it is about.
function page_of(title,    page) {
  page = title
  if (title == "Version") page = "version"
  if (title == "Errors") page = "error"
  if (title == "Verifying tokens") page = "verifier"
  if (title == "Keys for event loops") page = "fetch"
  if (title == "Verifying without a handle") page = "record"
  if (title == "Reading a result") page = "auth"
  if (title == "Revocation and metrics") page = "revocation"
  if (title == "Webhooks") page = "webhook"
  if (title == "Patches") page = "patch"
  if (title ~ /^(Users|Sessions|Organizations|Invitations|Impersonation|Allowed origins)$/) page = "client " title
  gsub(/ /, "_", page)
  return "torii_" tolower(page)
}

# The page of a type: that of its section, torii_json_type_t with torii_json_t.
function page_of_type(type) {
  if (type == "torii_require_t") return "torii_requirements"
  if (type ~ /^torii_(verify|span)_t$/) return "torii_record"
  sub(/(_type)?_t$/, "", type)
  return type
}

function add_type(type, declaration, comment,    page) {
  page = page_of_type(type)
  types[page] = types[page] ".SS " type "\n"
  held = text[page]
  text[page] = ""
  if (declaration) put(page, ".EX\n" declaration ".EE\n.PP")
  write(page, comment)
  types[page] = types[page] text[page]
  text[page] = held
}

function print_page(page, about, body, see,    file) {
  file = dir "/" page ".3"
  printf ".TH %s 3 %s \"libtorii %s\" \"Library Functions Manual\"\n", toupper(page), date, version >file
  printf ".SH NAME\n%s \\- %s\n", page names[page], about >file
  printf ".SH SYNOPSIS\n.nf\n.B #include <torii.h>\n" >file
  printf ".PP\n.B cc \\fIprogram\\fP.c $(pkg\\-config \\-\\-cflags \\-\\-libs torii)\n.fi\n" >file
  printf "%s.SH SEE ALSO\n%s", body, see >file
  close(file)
}

# The comment at the head of the file.
FNR == 1 { head = 1; next }
head && /^ \*\/$/ {
  head = 0
  main = comment
  comment = ""
  next
}
head { comment = comment substr($0, 4) "\n"; next }

/^ *\/\/\// {
  sub(/^ *\/\/\/ ?/, "")
  comment = comment $0 "\n"
  next
}

/^\/\* .* \*\/$/ { comment = substr($0, 4, length($0) - 6) "\n"; next }
/^#define TORII_[A-Z_]+[ (]/ && comment {
  name = $2
  sub(/\(.*/, "", name)
  put("macros", ".SS " name)
  put("macros", ".EX\n" literal($0))
  while (/\\$/) {
    getline
    put("macros", literal($0))
  }
  put("macros", ".EE\n.PP")
  write("macros", comment)
  comment = ""
  next
}

# The lines of an enumeration or a structure; its name comes last.
/^typedef (enum|struct) \{/ { of_type = comment; comment = members = ""; next }
/^  [A-Za-z].*[,;]$/ {
  sub(/^ */, "")
  sub(/,$/, "")
  text["member"] = ""
  write("member", comment)
  members = members ".TP\n.B " literal($0) "\n" (comment ? text["member"] : "\\&\n")
  comment = ""
  next
}
/^} torii_/ {
  sub(/;$/, "", $2)
  add_type($2, "", of_type)
  types[page_of_type($2)] = types[page_of_type($2)] members
  comment = ""
  next
}
/^typedef struct torii_/ {
  sub(/;$/, "", $4)
  add_type($4, "", comment)
  comment = ""
  next
}

# A declaration, which may go over several lines, without its attributes.
/^TORII_API/ { declaration = ""; declaring = 1 }
declaring {
  line = $0
  sub(/^(TORII_(API|NODISCARD) ?)+/, "", line)
  if (line) declaration = declaration literal(line) "\n"
  if (!/;$/) next
  declaring = 0
  if (match(comment, /^== [^\n]* ==\n/)) {
    title = substr(comment, 4, RLENGTH - 7)
    comment = substr(comment, RLENGTH + 1)
    page = page_of(title)
    pages[++count] = page
    titles[page] = title
    # An introduction follows its title without a blank line, up to the paragraph on the function.
    paragraphs = split(comment, paragraph, "\n\n")
    comment = ""
    for (i = 1; i <= paragraphs; i++) {
      own = comment || i > 1 && paragraph[i] ~ /^(Creates|Fetches|Returns|Revokes|Verifies) / || paragraph[i] ~ /^\n/
      if (own) comment = comment paragraph[i] "\n\n"
      else introduction[page] = introduction[page] paragraph[i] "\n\n"
    }
  }
  match(declaration, /torii_[a-z0-9_]+\(/)
  name = substr(declaration, RSTART, RLENGTH - 1)
  if (name != page) names[page] = names[page] ", " name
  put(page, ".SS " name)
  put(page, ".EX\n" declaration ".EE\n.PP")
  write(page, comment)
  comment = ""
  next
}

# A comment on an #if, such as that of TORII_API, is left out.
/./ { comment = "" }

END {
  for (i = 1; i <= count; i++) {
    page = pages[i]
    functions = text[page]
    text[page] = ""
    write(page, introduction[page])
    body = (text[page] ? ".SH DESCRIPTION\n" text[page] : "") (types[page] ? ".SH TYPES\n" types[page] : "") ".SH FUNCTIONS\n" functions
    see_also = ".BR libtorii (3)" (page ~ /^torii_client_/ ? ",\n.BR torii_client (3)" : "") "\n"
    print_page(page, "libtorii: " (titles[page] == "JSON" ? "JSON" : tolower(titles[page])), body, see_also)
    see = see sprintf(".BR %s (3),\n", page)
  }
  # The paragraphs on errors and returned text have sections of their own.
  rest = main
  sub(/^libtorii: /, "", rest)
  paragraphs = split(rest, paragraph, "\n\n")
  for (i = 1; i <= paragraphs; i++) {
    if (paragraph[i] ~ /^Errors\. /) errors = errors paragraph[i] "\n\n"
    else if (paragraph[i] ~ /^Text out: /) returned = returned paragraph[i] "\n\n"
    else described = described paragraph[i] "\n\n"
  }
  sub(/^v/, "V", described)
  sub(/^Errors\. /, "", errors)
  sub(/^Text out: a/, "A", returned)
  text["main"] = ".SH DESCRIPTION\n"
  write("main", described)
  text["main"] = text["main"] ".SH MACROS\n" text["macros"] ".SH RETURN VALUE\n"
  write("main", returned)
  text["main"] = text["main"] ".SH ERRORS\n"
  write("main", errors)
  put("main", ".PP\n\\fBtorii_status\\fR(3) lists the statuses, \\fBtorii_error\\fR(3) the functions of an error.")
  print_page("libtorii", "verify torii access tokens and call its backend API", text["main"], see ".BR torii (1)\n")
}
