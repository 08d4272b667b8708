/** What gst-inspect-1.0 prints, in short: an element of no real plugin, with one of each kind of thing. */
export const GST_1_22 = `Factory Details:
  Rank                     none (0)
  Long-name                Test
  Klass                    Generic

Plugin Details:
  Name                     testplugin
  Description              Things to read
  Version                  1.22.0

GObject
 +----GInitiallyUnowned
       +----GstObject
             +----GstElement

Pad Templates:
  SINK template: 'sink_%u'
    Availability: On request
    Capabilities:
      video/x-raw(memory:NVMM)
                 format: { (string)NV12, (string)RGBA }
                  width: [ 1, 2147483647 ]
              framerate: [ 0/1, 2147483647/1 ]
      video/x-raw(ANY)
    Type: GstTestPad
    Pad Properties:
      offset              : Of the pad
                            flags: readable, writable
                            Integer. Range: 0 - 5 Default: 0 

  SRC template: 'src'
    Availability: Always
    Capabilities:
      ANY
  
  SRC template: 'extra'
    Availability: Sometimes
    Capabilities:
      video/x-h264
                 parsed: true

Element has no clocking capabilities.
Element has no URI handling capabilities.

Pads:
  SRC: 'src'
    Pad Template: 'src'

Element Properties:
  caps                : The caps
                        flags: readable, writable
                        Caps (NULL)
  frames              : Buffers so far: all of them
                        flags: readable
                        Unsigned Integer64. Range: 0 - 18446744073709551615 Default: 0 
  gain                : How much
                        flags: readable, writable, controllable
                        Double. Range:              -1 -             1.5 Default:            0.25 
  greeting            : What to say
                        flags: readable, writable, deprecated
                        String. Default: "a: "b""
  location            : Where
                        flags: readable, writable
                        String. Default: null
  mode                : How
                        flags: readable, writable, changeable in NULL, READY, PAUSED or PLAYING state
                        Enum "GstTestMode" Default: -1, "auto"
                           (-1): auto             - Automatic - by itself
                           (2): row-interleaved  - Rows
  name                : The name of the object
                        flags: readable, writable
                        String. Default: "test0"
  offset              : Shift
                        flags: readable, writable, changeable only in NULL or READY state
                        Integer64. Range: -9223372036854775808 - 9223372036854775807 Default: -5 
  parent              : The parent of the object
                        flags: readable, writable
                        Object of type "GstObject"
  rate                : Frames a second
                        flags: readable, writable
                        Fraction. Range: 0/1 - 2147483647/1 Default: 30/1 
  sample              : The last one
                        flags: readable
                        Boxed pointer of type "GstSample"
                                                        average-rate: 0
  secret              : Not to be read
                        flags: writable
                        Boolean. Default: true Write only
  session             : Of this process
                        flags: readable, writable
                        String. Default: "local-1795715232049"
  tune                : Options
                        flags: readable, writable
                        Flags "GstTestTune" Default: 0x00000005, "fast+zero latency"
                           (0x00000001): fast             - Fast
                           (0x00000004): zero latency     - No delay

Element Signals:
  "eos" :  void user_function (GstElement* object,
                               gpointer user_data);
  "select-stream" :  gboolean user_function (GstElement* object,
                                             guint arg0,
                                             GstCaps* arg1,
                                             gpointer user_data);

Element Actions:
  "start-sr" :  GstFlowReturn user_function (GstElement* object,
                                             guint arg0,
                                             gchararray arg1);
`;

/** The same tool two years later: empty lines between properties. */
export const GST_1_24 = `Factory Details:
  Rank                     none (0)

Plugin Details:
  Name                     other

Pad Templates:
  SINK template: 'sink'
    Availability: Always
    Capabilities:
      video/x-raw
                 format: NV12

Element Properties:

  drop                : Drop old buffers
                        flags: readable, writable
                        Boolean. Default: false
  
  max-bytes           : Most bytes
                        flags: readable, writable
                        Unsigned Integer64. Range: 0 - 18446744073709551615 Default: 0
  
  leaky-type          : What to drop
                        flags: readable, writable, changeable in NULL, READY, PAUSED or PLAYING state
                        Enum "GstAppLeakyType" Default: 0, "none"
                           (0): none             - Not leaky
                           (1): upstream         - New buffers
  
`;
