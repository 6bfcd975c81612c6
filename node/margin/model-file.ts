/** A portfolio-margin model as a JSON file: ProtoJSON of keel.margin.v1.PortfolioModel, with the proto's names, as a genesis holds it. */
import { validateModel } from "@keel/modules/margin/portfolio/model";
import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { messageToJson } from "../app/genesis.ts";
import { fromJson, typeNamed } from "../app/protobuf-json.ts";
import { ConfigError, readText } from "../config/files.ts";

const TYPE = "keel.margin.v1.PortfolioModel";

/** Throws ConfigError or ModuleError in one sentence that names the file. */
export function readModelFile(path: string): PortfolioModel {
  const text = readText(path);
  let model: PortfolioModel;
  try {
    const type = typeNamed(TYPE);
    const bytes = type.encode(fromJson(type, JSON.parse(text))).finish();
    model = PortfolioModel.decode(bytes);
    validateModel(model);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new ConfigError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return model;
}

/** The one way to write a model: fields that say nothing are left out, numbers of 64 bits are text. */
export function modelJson(model: PortfolioModel): unknown {
  return messageToJson(TYPE, PortfolioModel.encode(model).finish());
}
