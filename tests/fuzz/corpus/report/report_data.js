var areaJSON='{"columns":["", "ALUTs", "FFs"], "total":[3, 1], "max_resources":[8, 9], "name":"a\\n"}';
var infoJSON='{"rows":[{"data":["19.2.0 Build 57"],"name":"i++ Version"}]}';
