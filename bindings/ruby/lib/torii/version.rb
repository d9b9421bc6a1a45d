# frozen_string_literal: true

module Torii
  # The release of this gem; Torii.library_version tells that of the library.
  VERSION = '0.1.0'
end
