# frozen_string_literal: true

require 'torii'
require 'torii/middleware'
require 'minitest/autorun'
require 'net/http'
require 'openssl'
require 'socket'
require 'timeout'

ROOT = File.expand_path('../../..', __dir__)
USER = '01975f2e-6c00-7a3b-8c4d-5e6f708192a3'

# The local torii: one process for the whole run, reset before each test.
module Emulator
  def self.info
    @info ||= begin
      @process = IO.popen([ENV.fetch('TORII_EMULATOR'), '--port', '0', '--until-stdin-closes'], 'r+')
      JSON.parse(@process.gets)
    end
  end

  def self.call(method, path, body = nil)
    uri = URI("#{info['control']}#{path}")
    request = Net::HTTP.const_get(method.capitalize).new(uri, 'Content-Type' => 'application/json')
    request.body = body ? JSON.generate(body) : ''
    answer = Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
    raise "#{method} #{path}: #{answer.code} #{answer.body}" unless answer.is_a?(Net::HTTPSuccess)

    answer.body.to_s.empty? ? nil : JSON.parse(answer.body)
  end
end

# Signs webhooks as their sender does, with OpenSSL.
module Sender
  SECRET = 'whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY'
  OTHER = 'whsec_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4Q='

  # The headers of a webhook, signed as Standard Webhooks 1.0.0 describes.
  def self.sign(body, id: 'msg_1', sent: Time.now)
    key = SECRET.delete_prefix('whsec_').unpack1('m')
    text = "#{id.b}.#{sent.to_i}.#{body.b}"
    { 'webhook-id' => id, 'webhook-timestamp' => sent.to_i.to_s,
      'webhook-signature' => "v1,#{[OpenSSL::HMAC.digest('SHA256', key, text)].pack('m0')}" }
  end
end

module EmulatorTest
  def setup
    Torii.clear_keys
    emulator('post', '/reset')
  end

  def emulator(...) = Emulator.call(...)

  def issuer = Emulator.info['issuer']

  def token(**request) = emulator('post', '/issuers/acme/tokens', request).fetch('token')

  def requests(path) = emulator('get', "/requests?path=#{path}").fetch('requests')

  def fault(path, times: nil, **fault)
    emulator('post', '/faults', { path: path, times: times, fault: fault }.compact)
  end

  def client(**options)
    Torii::Client.new(Emulator.info['secret_key'], api_url: Emulator.info['url'], **options)
  end

  # The resident memory of this process in KiB.
  def rss = File.read('/proc/self/status')[/^VmRSS:\s+(\d+)/, 1].to_i
end
