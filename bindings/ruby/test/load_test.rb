# frozen_string_literal: true

require_relative 'test_helper'
require 'open3'
require 'tmpdir'

# The gem's messages if the library is missing or has another ABI version.
class LoadTest < Minitest::Test
  def test_a_missing_library
    message = failure('/no/such/libtorii.so.0')
    assert_includes message, '/no/such/libtorii.so.0'
    assert_match(/TORII_LIBRARY.*Install/m, message)
  end

  def test_another_abi
    Dir.mktmpdir do |dir|
      library = File.join(dir, 'libtorii.so.0')
      source = 'unsigned torii_abi_version(void) { return 7; }'
      _, status = Open3.capture2e('cc', '-shared', '-fPIC', '-x', 'c', '-o', library, '-', stdin_data: source)
      assert_predicate status, :success?
      assert_match(/ABI version 7, but .* needs 0/, failure(library))
    end
  end

  def test_file_names
    names = %w[linux freebsd darwin windows].to_h { |system| [system, Torii::Native.file_name(system)] }
    assert_equal({ 'linux' => 'libtorii.so.0', 'freebsd' => 'libtorii.so.0', 'darwin' => 'libtorii.0.dylib',
                   'windows' => 'torii.dll' }, names)
    assert_equal 'libtorii.so.0', Torii::Native::LIBRARY
  end

  def test_versions
    assert_equal Torii::VERSION, Torii.library_version
    assert_equal ENV.fetch('TORII_LIBRARY'), Torii.library_path
    assert_equal Torii::Native::ABI_VERSION, Torii::Native.torii_abi_version
    specification = Gem::Specification.load(File.join(__dir__, '../torii.gemspec'))
    assert_equal Torii::VERSION, specification.version.to_s
    assert_includes specification.files, 'lib/torii/native.rb'
  end

  private

  def failure(library)
    output, status = Open3.capture2e({ 'TORII_LIBRARY' => library }, 'ruby', '-Ilib', '-e', <<~RUBY)
      begin
        require 'torii'
      rescue LoadError => e
        puts e.message
      end
    RUBY
    assert_predicate status, :success?, output
    output
  end
end
