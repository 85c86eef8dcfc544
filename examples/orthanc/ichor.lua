-- Sends every CT series that Orthanc has received to Ichor, and stores the segmentation that comes back as a new
-- series of the same study. For research and teaching only, never for diagnosis.
--
-- In the configuration of Orthanc: "LuaScripts": ["/path/to/ichor.lua"]. ICHOR_URL names another server.

local url = os.getenv('ICHOR_URL') or 'http://127.0.0.1:8080'

-- Called once no instance of a series has arrived for "StableAge" seconds.
function OnStableSeries(seriesId, tags, metadata)
   -- Segmentations are series as well: without this check each would be sent to Ichor in turn.
   if tags['Modality'] ~= 'CT' then
      return
   end

   local series = RestApiGet('/series/' .. seriesId .. '/archive')
   -- Older versions of Orthanc have only the setting "HttpTimeout".
   if SetHttpTimeout then
      SetHttpTimeout(600)
   end
   local answer = HttpPost(url .. '/v1/segment', series, {
      ['content-type'] = 'application/zip',
      ['accept'] = 'application/dicom',
   })

   -- A DICOM file has the letters DICM after 128 bytes. Anything else is a report, or nil after an error.
   if answer == nil or string.sub(answer, 129, 132) ~= 'DICM' then
      print('ichor: no segmentation of series ' .. seriesId)
      return
   end
   local stored = ParseJson(RestApiPost('/instances', answer))
   print('ichor: segmentation of series ' .. seriesId .. ' stored as ' .. stored['ID'])
end
