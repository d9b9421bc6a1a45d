# Writes the manual page libtorii(3) from the comments of torii.h:
#
#     awk -v version=VERSION -v date=YYYY-MM-DD -f manual.awk torii.h

function literal(s) {
  gsub(/\\/, "\\\\e", s)
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

function heading(title) {
  print ".SH " title
}

# The lines of a comment, without its stars.
function write(comment,    lines, count, i, line, code, list, fresh) {
  count = split(comment, lines, "\n")
  fresh = 1
  for (i = 1; i <= count; i++) {
    line = lines[i]
    if (code && line !~ /^(    |$)/) {
      print ".EE"
      print ".RE"
      code = 0
    }
    if (code) {
      print literal(substr(line, 5))
      continue
    }
    if (line == "") {
      if (!fresh) pending = 1
      continue
    }
    if (line ~ /^    /) {
      print ".PP"
      print ".RS 4"
      print ".EX"
      print literal(substr(line, 5))
      code = 1
      pending = 0
      fresh = 0
      continue
    }
    if (line ~ /^- /) {
      print ".IP \\(bu 2"
      list = 1
      line = substr(line, 3)
    } else if (list && line ~ /^  /) {
      line = substr(line, 3)
    } else {
      if (pending) print ".PP"
      else if (line ~ /^(Ownership|Threads|Errors|Since): /) print ".br"
      list = 0
    }
    pending = 0
    fresh = 0
    print prose(line)
  }
  if (code) {
    print ".EE"
    print ".RE"
  }
  pending = 0
}

BEGIN {
  printf ".TH LIBTORII 3 %s \"libtorii %s\" \"Library Functions Manual\"\n", date, version
  heading("NAME")
  print "libtorii \\- trust torii's logins"
  heading("SYNOPSIS")
  print ".nf"
  print ".B #include <torii.h>"
  print ".PP"
  print ".B cc \\fIprogram\\fP.c $(pkg\\-config \\-\\-cflags \\-\\-libs torii)"
  print ".fi"
}

# The comment at the head of the file.
FNR == 1 { head = 1; next }
head && /^ \*\/$/ {
  heading("DESCRIPTION")
  write(comment)
  head = 0
  comment = ""
  next
}
head { comment = comment substr($0, 4) "\n"; next }

/^ *\/\*\*$/ { inside = 1; comment = ""; next }
inside && /^ *\*\/$/ { inside = 0; next }
inside { sub(/^ *\* ?/, ""); comment = comment $0 "\n"; next }

/^\/\* .* \*\/$/ { comment = substr($0, 4, length($0) - 6) "\n"; next }
/^#define TORII_[A-Z_]+[ (]/ && !/TORII_H$/ {
  if (!macros++) heading("MACROS")
  name = $2
  sub(/\(.*/, "", name)
  print ".SS " name
  print ".EX"
  print literal($0)
  print ".EE"
  print ".PP"
  write(comment)
  next
}

# The name of an enumeration comes last.
/^typedef enum/ { of_enum = comment; members = 0; next }
/^  TORII_/ {
  member[++members] = $1 " = " $3
  sub(/,$/, "", member[members])
  meaning[members] = comment
  next
}
/^} torii_/ {
  if (!enums++) heading("NUMBERS")
  sub(/;$/, "", $2)
  print ".SS " $2
  write(of_enum)
  for (i = 1; i <= members; i++) {
    print ".TP"
    print ".B " literal(member[i])
    write(meaning[i])
  }
  next
}

/^typedef struct/ {
  if (!handles++) heading("HANDLES")
  sub(/;$/, "", $4)
  print ".SS " $4
  write(comment)
  next
}

# A declaration, which may go over several lines.
/^[a-z].* \*?torii_[a-z0-9_]+\(/ { declaration = ""; declaring = 1 }
declaring {
  declaration = declaration literal($0) "\n"
  if (!/;$/) next
  declaring = 0
  if (!functions++) heading("FUNCTIONS")
  match(declaration, /torii_[a-z0-9_]+\(/)
  print ".SS " substr(declaration, RSTART, RLENGTH - 1)
  print ".EX"
  printf "%s", declaration
  print ".EE"
  print ".PP"
  write(comment)
}

END {
  heading("SEE ALSO")
  print ".BR torii (1)"
}
